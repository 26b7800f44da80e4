"""Draws the pictures of the README anew: `make pictures`. They are of the real page, at a time of our choice."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from e2e.browsing import Browsing
from e2e.page.talker import Talker
from e2e.page.thepage import Frame, ThePage, Wire
from e2e.server import CHECKOUT, Server

PICTURES = CHECKOUT / "docs" / "pictures"
NOW = datetime(2026, 11, 20, 9, 26, tzinfo=UTC)


@dataclass
class Line:
    """Something that somebody said.

    :ivar at: hour and minute of that day, or of the day before if it is late.
    :ivar reply: to which line, counted from 0.
    """

    nick: str
    at: str
    text: str
    reply: int | None = None
    reactions: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def ts(self) -> int:
        """In milliseconds since the epoch."""
        hour, minute = map(int, self.at.split(":"))
        day = NOW.day if hour < 12 else NOW.day - 1
        return int(NOW.replace(day=day, hour=hour, minute=minute).timestamp() * 1000)


@dataclass
class Scene:
    """One picture.

    :ivar me: who looks at it.
    :ivar people: who else is there; the last one is away, the first one types.
    :ivar elsewhere: what is said in other rooms, by the first one.
    """

    file: str
    room: str
    me: str
    people: list[str]
    lines: list[Line]
    topic: str
    elsewhere: dict[str, str]
    context: dict[str, Any]


CHINESE = Scene(
    "room-light.png", "茶水间", "陈子墨", ["林晓雯", "João", "阿海"],
    [
        Line("林晓雯", "17:42", "压测跑完了：一千人同时在线，p99 广播延迟 **38 ms** 📈",
             reactions={"🎉": ["João", "阿海", "陈子墨"]}),
        Line("João", "09:12", "Morning! Restarted it twice while talking: nothing missed, nothing doubled."),
        Line("陈子墨", "09:15", "早。输入法选词按回车的时候，消息会提前发出去，这个修好了吗？"),
        Line("林晓雯", "09:21", "@陈子墨 修好了，拼音、注音、日文都试过。关键就一行：\n```js\n"
             "// 选词的回车不是发送\n"
             "if (event.isComposing || event.keyCode === 229) return;\n```", reactions={"👍": ["João", "陈子墨"]}),
        Line("João", "09:22", "Works on my phone too. See https://example.com/notes/ime", reply=3),
        Line("阿海", "09:24", "那今天 16:00 发布，谁来写公告？"),
        Line("陈子墨", "09:25", "我来写 ✍️"),
    ],
    "什么都聊，keep it kind。周五 16:00 发布",
    {"release": "@陈子墨 公告写好了放这里", "前端": "新的图标好看", "ops": ""},
    {"viewport": {"width": 1440, "height": 860}, "locale": "zh-CN", "color_scheme": "light"},
)  # fmt: skip

ENGLISH = Scene(
    "phone-dark.png", "tea-room", "Mia", ["Noor", "João", "Sam"],
    [
        Line("João", "17:58", "Kettle is on ☕"),
        Line("Noor", "09:14", "Who has the notes from yesterday?", reactions={"👀": ["Sam"]}),
        Line("João", "09:16", "Here, *half* of them:\n```sh\nmake run  # that is all\n```"),
        Line("Noor", "09:19", "@Mia you wrote the other half, didn't you?", reply=2),
        Line("Mia", "09:21", "I did. **Four o'clock**, bring cake 🍰",
             reactions={"🎉": ["Noor", "João"], "❤️": ["Sam"]}),
        Line("Sam", "09:24", "谢谢！四点见"),
    ],
    "Talk about anything, keep it kind",
    {"release": "@Mia we are ready"},
    {"viewport": {"width": 360, "height": 800}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
     "locale": "en-GB", "color_scheme": "dark"},
)  # fmt: skip


def draw(scene: Scene, server: Server, browsing: Browsing) -> Path:
    """Furnish the room, look at it as one of them does, and keep what is seen; where that is."""
    times = {line.text: line.ts for line in scene.lines}

    def at_its_time(frame: Frame) -> Frame:
        for message in [frame, *frame.get("state", []), *frame.get("events", [])]:
            if message.get("text") in times:
                message["ts"] = times[message["text"]]
        return frame

    wire = Wire()
    wire.bend = at_its_time
    with ExitStack() as stack:
        people = {nick: stack.enter_context(Talker(server, nick, scene.room)) for nick in scene.people}
        first, last = people[scene.people[0]], people[scene.people[-1]]
        with Talker(server, "owner", scene.room, token=(server.data / "owner.token").read_text().strip()) as owner:
            owner.ask("mod", action="topic", value=scene.topic)
            owner.ask("part")  # at once: who only loses the connection is waited for
        me = ThePage(browsing, server, query=f"?room={scene.room}", wire=wire, timezone_id="UTC", **scene.context)
        me.page.clock.install(time=NOW)
        me.page.reload()
        me.page.locator("input[name=nick]").fill(scene.me)
        me.page.locator(".letter button[type=submit]").click()
        expect(me.page.locator(".head p")).to_have_text(scene.topic)
        talk(scene, me, people)
        for room, text in scene.elsewhere.items():
            me.box.fill(f"/join {room}")
            me.page.locator(".send").click()
            expect(me.page.locator("h1")).to_have_text(room)
            first.ask("join", room=room)
            me.page.go_back()
            expect(me.page.locator("h1")).to_have_text(scene.room)
            if text:
                first.say(text, room=room)
        if not scene.context.get("is_mobile"):
            my_id = me.page.evaluate("JSON.parse(localStorage['chat.me']).id")
            first.say("午饭一起？", room=f"@{my_id}")
            expect(me.page.locator(".badge")).to_have_count(2)
        last.ask("status", status="away", room=None)
        first.types()
        expect(me.page.locator(".pulse")).to_be_visible()
        me.page.mouse.move(0, 0)
        path = PICTURES / scene.file
        me.page.screenshot(path=path, animations="disabled", caret="hide")
        return path


def talk(scene: Scene, me: ThePage, people: dict[str, Talker]) -> None:
    """Each says what they have to say; then they react to it."""
    numbers: list[int] = []
    for line in scene.lines:
        reply = None if line.reply is None else numbers[line.reply]
        if line.nick == scene.me:
            me.box.fill(line.text)
            me.page.locator(".send").click()
        else:
            people[line.nick].say(line.text, reply=reply)
        expect(me.rows).to_have_count(len(numbers) + 1)
        expect(me.pending).to_have_count(0)
        numbers.append(int(me.rows.last.get_attribute("data-seq") or 0))
    for number, line in zip(numbers, scene.lines, strict=True):
        for emoji, nicks in line.reactions.items():
            for nick in nicks:
                if nick == scene.me:
                    me.page.locator(f"li[data-seq='{number}'] .reactions button", has_text=emoji).click()
                else:
                    people[nick].ask("react", ref=number, emoji=emoji, on=True)


def main() -> None:
    """Draw all; their names and sizes are told."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for scene in (CHINESE, ENGLISH):
            browsing = Browsing(browser)
            with Server(Path(directory) / scene.file, "--insecure-no-limits") as server:
                path = draw(scene, server, browsing)
                browsing.finish()
            sys.stdout.write(f"{path.relative_to(CHECKOUT)}: {path.stat().st_size // 1024} KB\n")
        browser.close()


if __name__ == "__main__":
    main()
