"""The example in docs/socketio.md runs."""

from __future__ import annotations

import re
from pathlib import Path

from .wire import CHECKOUT, Application


def test_example(tmp_path: Path) -> None:
    """The program on the page serves two clients, and refuses a third."""
    page = (CHECKOUT / "docs" / "socketio.md").read_text()
    found = re.search(r"```python\n(.*?)```", page, re.S)
    assert found
    script = tmp_path / "example.py"
    script.write_text(found[1].replace("8080", "int(__import__('sys').argv[1])"))
    application = Application(script=script)
    ann = application.websocket(4, "/socket.io/")
    bob = application.websocket(3, "/socket.io/")
    ann.get(), bob.get()
    assert bob.get() == "40"
    ann.send('40{"token":"good"}')
    assert str(ann.get()).startswith('40{"sid":')
    assert str(bob.get()).startswith('42["enter","')
    ann.send('421["message","hello"]')
    assert ann.get() == '431["delivered"]'
    assert bob.get() == '42["message","hello"]'
    thief = application.websocket(4, "/socket.io/")
    thief.get()
    thief.send('40{"token":"stolen"}')
    assert thief.get() == '44{"message":"who are you?","data":{"retry":false}}'
    ann.close()
    assert str(bob.get()).startswith('42["leave","')
    bob.close(), thief.close()
    assert application.stop() == ""
