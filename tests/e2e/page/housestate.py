"""The operator's page, told of a house that is full of what is hard to show."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from e2e.browsing import Browsing
from e2e.server import Server

State = dict[str, Any]

WIDE = "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少床前明月光疑是地上霜举"
MARKED = "Z" + "".join(chr(0x300 + n) for n in range(24)) + "algo" + "".join(chr(0x316 + n) for n in range(24))
RIGHT_TO_LEFT = "عبد الرحمن بن محمد الأندلسي"
ROOMS = 200

# Stands in for the stream of events: it tells what it is given, and stays open.
_TOLD = """(told) => {
  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      const tell = (name) => this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(told[name]) }));
      window.tellState = (state) => { told.state = state; tell("state"); };
      setTimeout(() => { tell("about"); tell("state"); });
    }
    close() {}
  };
}"""


def person(number: int, nick: str, role: str = "member", **more: Any) -> State:
    """Somebody who is here."""
    told = {"id": f"u_{number}", "nick": nick, "role": role, "guest": role == "guest", "status": "online"}
    return {**told, "conns": 1, "rooms": ["lobby"], "waiting": 0, "dialects": ["chat.v1"], **more}


def worker(name: str, state: str, **more: Any) -> State:
    """One of several."""
    dialects = {"chat.v1": 1203, "Socket.IO": 318, "simple": 41, "line": 2}
    rows = [dialect(*one) for one in dialects.items()]
    plain = {"connections": 1570, "people": 1204, "rooms": 212, "written": 90_210, "per_s": 18.3, "lag_ms": 3.4}
    rest = {
        "memory": 203_000_000,
        "refused": 4,
        "up_s": 93_784,
        "by_dialect": rows,
        "waiting": 4_096,
        "lagging": 1,
    }
    row = {"worker": name, "host": "chat-one.example", "pid": 20_000 + len(name), "state": state, "age_s": 2.4}
    return {**row, **plain, **rest, **more}


def dialect(name: str, n: int) -> State:
    """A row of connections."""
    return {"dialect": name, "n": n, "waiting": n * 977, "most": 1_404_221, "lagging": n // 300}


def full_house(*, several: bool = True) -> State:
    """Much of everything, with names of all kinds.

    :param several: workers that share a Redis; one has died, one is not heard of.
    """
    names = [WIDE, MARKED, RIGHT_TO_LEFT, "Maximiliane Oberstaufenbergerin", "👩‍👩‍👧‍👦 family", "user5061"]
    people = [person(n, nick, "guest" if n > 3 else "member") for n, nick in enumerate(names)]
    people += [person(100 + n, f"user{n}", "guest", rooms=[] if n % 7 == 0 else ["lobby"]) for n in range(50)]
    people[0] |= {"role": "owner", "rooms": ["lobby", WIDE, "غرفة الشاي", *(f"room-{n}" for n in range(30))]}
    people[2] |= {"role": "mod", "waiting": 3_221_225, "dialects": ["chat.v1", "Socket.IO"], "conns": 12}
    rooms = [WIDE * 2, "a-room-with-quite-a-long-name-that-does-not-end-soon-at-all-64cha", "غرفة الشاي", "lobby"]
    rooms += [f"room-{n}" for n in range(ROOMS - len(rooms))]
    told = [
        {
            "name": name,
            "n": 9_000 // (n + 1),
            "seq": 1_234_567 - n,
            "state": "live",
            "private": n == 1,
            "locked": n < 2,
        }
        for n, name in enumerate(rooms)
    ]
    rows = [dialect(*one) for one in {"chat.v1": 2406, "Socket.IO": 636, "simple": 82, "line": 4}.items()]
    state: State = {
        "now": 1_795_000_000_000,
        "build": "b",
        "connections": {"open": 3140, "by_dialect": rows},
        "rooms": {"n": 412, "direct": 17, "list": told},
        "people": {"n": 2408, "list": people},
        "messages": 181_223,
        "memory": {"resident": 203_000_000},
        "counted": {"refused_by_rate": 7},
        "complaints": [
            {
                "at": 1_795_000_000.0 - n,
                "level": "warn",
                "words": f"Redis is away: {'ConnectionRefusedError ' * n}",
            }
            for n in range(5)
        ],
        "per_s": 18.3,
        "lag_ms": 3.4,
        "up_s": 93_784,
    }
    if several:
        gone = {"worker": "", "host": f"{WIDE}.example", "age_s": 71.0, "per_s": None, "lag_ms": None}
        workers = [
            worker("w1-1", "here", age_s=0.0),
            worker("w2-1", "lives"),
            worker("w10-2", "unknown", age_s=31.0),
        ]
        state |= {"workers": [*workers, worker("", "gone", **gone)]}
        summed = {name: 2 * workers[0][name] for name in ("connections", "people", "written", "memory", "refused")}
        state |= {
            "all": {"workers": 2, **summed, "per_s": 36.6, "lag_ms": 3.4, "by_dialect": rows, "as_of_s": 21.0}
        }
    return state


def about(role: str = "owner") -> State:
    """Who looks, and how it is set."""
    settings = [
        {"name": "listen", "value": "tcp:8080:interface=127.0.0.1", "source": "default"},
        {"name": "public-url", "value": f"https://chat.example/{'long/' * 24}", "source": "environment"},
        {"name": "socketio-emitters", "value": "redis://127.0.0.1/0#socket.io", "source": "file"},
        *({"name": f"option-{n}", "value": "yes", "source": "default"} for n in range(40)),
    ]
    you = {"id": "u_o", "nick": WIDE, "role": role, "looks": True, "acts": role == "owner"}
    return {"you": you, "settings": settings, "every_s": 2.0}


def open_admin(
    browsing: Browsing, server: Server, state: State, lang: str, role: str = "owner", **context: Any
) -> Page:
    """The page, as if the house stood so.

    :param server: any that has an owner.
    """
    told = {"about": about(role), "state": state}
    page = browsing.page(server.lite_url, **context)
    page.route("**/admin/api/me", lambda route: route.fulfill(json={"type": "ok", "you": told["about"]["you"]}))
    page.add_init_script(f"({_TOLD})({json.dumps(told)})")
    page.goto(f"{server.page_url}admin/?lang={lang}")
    expect(page.locator("#rooms tbody tr").first).to_be_visible()
    return page
