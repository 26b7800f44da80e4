"""Keeping order in a real service: thrown out by address, put on record."""

from __future__ import annotations

import json
import socket
import stat

from e2e.conftest import Serve
from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import read_to_end


def test_a_ban_and_its_record(serve: Serve) -> None:
    """The owner makes a moderator of somebody with nc, who bans somebody else: the address stays out, by
    lines and over a WebSocket, also after a crash; the audit log has both deeds, for the owner's eyes only."""
    server = serve()
    token = (server.data / "owner.token").read_text().strip()
    with LinePeer(server.line_port) as mod, socket.socket() as eve:
        mod.hears("* you are user1 in lobby, 1 here; /help lists the commands")
        eve.bind(("127.0.0.2", 0))
        eve.connect(("127.0.0.1", server.line_port))
        mod.hears("user2 comes in")
        with WebSocketPeer(server.socket_url("/v1")) as owner:
            owner.say(
                json.dumps({"type": "hello", "id": 1, "token": token, "rooms": {"lobby": {}}, "caps": ["members"]})
            )
            owner.until(lambda heard: heard)
            members = json.loads(owner.heard[0])["rooms"]["lobby"]["members"]
            (mod_id,) = (user["id"] for user in members if user["nick"] == "user1")
            role = {"type": "mod", "id": 2, "room": "lobby", "action": "role", "user": mod_id, "value": "mod"}
            owner.say(json.dumps(role))
            mod.until(lambda heard: heard[-1].endswith(" made user1 mod"))
        mod.say("/ban user2 1h 刷屏\x1b[2J")
        mod.hears("* user1 banned user2 (for 1 h, 刷屏[2J)")
        assert read_to_end(eve).decode().splitlines()[-1] == "* you are banned here"
    server.kill9()
    server.start()
    with socket.socket() as again:
        again.bind(("127.0.0.2", 0))
        again.connect(("127.0.0.1", server.line_port))
        again.sendall(b"bye\n")
        assert "* you are banned here" in read_to_end(again).decode().splitlines()
    with WebSocketPeer(server.socket_url(), source_address=("127.0.0.2", 0)) as page:
        page.until(lambda heard: "you are banned here" in heard[-1] if heard else False)
    with LinePeer(server.line_port) as other:
        other.until(lambda heard: heard[-1].startswith("* you are user") if heard else False)
    record = server.data / "audit.log"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    deeds = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert [(deed["action"], deed.get("value", "")) for deed in deeds] == [("role", "mod"), ("ban", "")]
    assert deeds[1]["actor"] == mod_id and deeds[1]["addresses"] == ["127.0.0.2"]
    assert deeds[1]["reason"] == "刷屏[2J" and deeds[1]["until"] > deeds[1]["time"]
