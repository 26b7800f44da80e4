"""UI-24: several tabs of one person: they make one noise, and know what was read in another."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.talker import Talker
from e2e.page.thepage import ThePage
from e2e.server import Server, eventually

# Counts instead of ringing. Without chance all tabs want to ring at the very same moment.
COUNT = """
globalThis.rung = 0;
globalThis.notified = [];
globalThis.AudioContext = class { constructor() { rung += 1; throw new Error("no sound card"); } };
globalThis.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, { body }) { notified.push(body); }
};
Math.random = () => 0.5;
"""


def test_three_tabs(server: Server, browsing: Browsing) -> None:
    """A message for oneself rings and is shown once, whichever tab does it; read in one, it is read in all."""
    door = ThePage(browsing, server, query="?room=tea")
    door.page.context.add_init_script(COUNT)
    door.page.evaluate("localStorage['chat.sound'] = localStorage['chat.desktop'] = 'true'")
    door.page.reload()
    door.enter("Annette")
    door.say("/join lobby")
    expect(door.page.locator("h1")).to_have_text("lobby")
    tabs = [door, door.tab(), door.tab()]
    for tab in tabs[1:]:
        tab.is_in()
        expect(tab.page.locator("h1")).to_have_text("lobby")

    def told() -> list[str]:
        """What was shown by any tab."""
        return [body for tab in tabs for body in tab.page.evaluate("notified")]

    with Talker(server, "Bob", "tea") as bob:
        # Each is awaited before the next one is said: by then no tab can have one before it still to tell.
        for number in range(1, 4):
            bob.say(f"{number} for @Annette")
            eventually(lambda n=number: f"{n} for @Annette" in told(), "a notification")
        assert told().count("1 for @Annette") == told().count("2 for @Annette") == 1
        rings = sum(tab.page.evaluate("rung") for tab in tabs)
        assert rings == len(told())
        for tab in tabs:
            expect(tab.page.locator(".badge.loud")).to_contain_text("3")
            expect(tab.page).to_have_title("(3) lobby · Chat")
        tabs[1].page.locator(".place", has_text="tea").click()
        for tab in tabs:
            expect(tab.page.locator(".badge, .place .dot")).to_have_count(0)
        expect(tabs[2].page).to_have_title("lobby · Chat")
        assert tabs[0].page.evaluate("document.querySelector('.me bdi').textContent") == "Annette"


def test_a_second_tab_is_the_same_person(server: Server, browsing: Browsing) -> None:
    """Another tab needs no name, is no second member, and each keeps a draft of its own room."""
    one = ThePage(browsing, server, "Ann")
    other = one.tab()
    other.is_in()
    expect(other.page.locator("aside .person")).to_have_count(1)
    other.say("from the other one")
    one.shows("from the other one")
    expect(one.page.locator(".row .nick")).to_have_text(["Ann"])
