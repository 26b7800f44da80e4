"""UI-20: what is written becomes elements in the built page, with its stubs and in a real browser, as it does in
web/test/markdown.test.js."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.browsing import Browsing
from e2e.page.talker import Talker
from e2e.page.thepage import ThePage
from e2e.server import Server

LINK = '<a href="{0}">{0}</a>'

TABLE = [
    ("见https://example.com/a，谢谢", f"见{LINK.format('https://example.com/a')}，谢谢"),
    ("（https://example.com/x）", f"（{LINK.format('https://example.com/x')}）"),
    ("**你好。**世界", "<strong>你好。</strong>世界"),
    ("**「重点」**内容", "<strong>「重点」</strong>内容"),
    ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
    # No renderer can know where an address ends here.
    (
        "看https://example.com/a这个链接",
        '看<a href="https://example.com/a%E8%BF%99%E4%B8%AA%E9%93%BE%E6%8E%A5">https://example.com/a这个链接</a>',
    ),
    # Hosts as the network knows them; one that mixes scripts is shown so as well.
    ("https://例子.测试/a", '<a href="https://xn--fsqu00a.xn--0zwm56d/a">https://例子.测试/a</a>'),
    ("https://раypal.com/a", LINK.format("https://xn--ypal-43d9g.com/a")),
    ("[x](http://[::1]:8080/a)", '<a href="http://[::1]:8080/a">x</a>'),
    ("&lt;b&gt; &copy; &constructor;", "&lt;b&gt; © &amp;constructor;"),
]


def test_the_table(shared_server: Server, browsing: Browsing) -> None:
    """Chinese punctuation ends an address, Chinese emphasis is emphasis, and nothing that would run is a link."""
    with Talker(shared_server, "Ann who writes", "markdown") as ann:
        for text, _ in TABLE:
            ann.say(text)
        reader = ThePage(browsing, shared_server, "Reader", query="?room=markdown")
        expect(reader.texts).to_have_count(len(TABLE))
        shown = reader.texts.evaluate_all("all => all.map((one) => one.innerHTML)")
    plain = [re.sub(r' target="_blank" rel="noopener noreferrer nofollow ugc"', "", one) for one in shown]
    assert plain == [f"<p>{expected}</p>" for _, expected in TABLE]
    assert sum("<a " in one for one in shown) == sum(one.count(' rel="') for one in shown)
