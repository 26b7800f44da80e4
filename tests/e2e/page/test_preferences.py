"""UI-22: readers who want no motion, and those whose system paints with its own colours."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from playwright.sync_api import Locator, expect

from e2e.browsing import Browsing
from e2e.page.talker import Talker
from e2e.page.thepage import ThePage
from e2e.server import Server

# Everything that is on the page, and what is drawn before and after it, with how long it would move.
MOVING = """() => {
  const one = (time) => parseFloat(time) * (time.trim().endsWith("ms") ? 1 : 1000);
  const ms = (times) => Math.max(...times.split(",").map(one));
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    for (const pseudo of ["", "::before", "::after"]) {
      const style = getComputedStyle(element, pseudo);
      const longest = Math.max(ms(style.animationDuration), ms(style.transitionDuration));
      const moves = longest > 0.0101 || style.scrollBehavior === "smooth";
      if (moves) found.push(`${element.className}${pseudo} ${longest} ms`);
    }
  }
  return found;
}"""

# How many colours are in a picture, and how much of it differs from another; on a page without a policy.
COMPARE = """async ([one, other]) => {
  const pixels = async (data) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
    pen.drawImage(image, 0, 0);
    return new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  return { colours: new Set(a).size, changed: a.filter((value, index) => value !== b[index]).length };
}"""


def test_no_motion(shared_server: Server, browsing: Browsing) -> None:
    """Whoever wants no motion gets none: no typing dots, pill or dialog moves, nor a message gone to."""
    with Talker(shared_server, "Bob who types", "still") as bob:
        first = bob.say("first")
        for number in range(40):
            bob.say(f"line {number}")
        bob.say("an answer", reply=first)
        ann = ThePage(browsing, shared_server, "Ann still", query="?room=still", reduced_motion="reduce")
        expect(ann.row("an answer")).to_be_visible()
        bob.types()
        expect(ann.page.locator(".pulse")).to_be_visible()
        ann.page.locator(".quote").click()
        expect(ann.page.locator(".row.found")).to_be_visible()
        expect(ann.pill).to_be_visible()
        ann.page.keyboard.press("Control+k")
        expect(ann.page.get_by_role("dialog")).to_be_visible()
        assert ann.page.evaluate(MOVING) == []
        moving = ThePage(browsing, shared_server, "Ann moving", query="?room=still")
        assert len(moving.page.evaluate(MOVING)) > 0  # the measure sees motion where there is some


def test_forced_colours(shared_server: Server, browsing: Browsing) -> None:
    """With the system's few colours the focus, badges, seals and what is chosen can still be seen."""
    with Talker(shared_server, "Bob who calls", "calls") as bob:
        ann = ThePage(
            browsing, shared_server, "Annette", query="?room=calls", forced_colors="active", color_scheme="dark"
        )
        ann.say("/join quiet")
        expect(ann.page.locator("h1")).to_have_text("quiet")
        bob.say("hey @Annette, look")
        badge = ann.page.locator(".badge.loud")
        expect(badge).to_be_visible()
        judge = browsing.page("about:blank")

        def compared(what: Locator, change: Any) -> Any:
            before = what.screenshot(animations="disabled")
            change()
            after = what.screenshot(animations="disabled")
            pair = [b64encode(picture).decode() for picture in (before, after)]
            return judge.evaluate(COMPARE, pair)

        assert compared(badge, lambda: None)["colours"] > 2
        expect(ann.page.locator(".seal").first).to_be_visible()
        assert compared(ann.page.locator(".seal").first, lambda: None)["colours"] > 2
        for name in ("Room menu", "Search", "Settings"):
            button = ann.page.get_by_role("button", name=name).first
            around = button.locator("xpath=..")
            assert compared(around, lambda it=button: it.focus())["changed"] > 60, name
        here = ann.page.locator(".place[aria-current]")
        assert here.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"
        send = ann.page.locator(".send")
        assert send.evaluate("it => getComputedStyle(it).borderTopStyle") == "solid"
