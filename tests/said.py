"""Something that can be said for every option, and what the settings are then."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

from chatservice.config import Config, Settings
from chatservice.domain.limits import Rate
from chatservice.identity.jwt import SiteKey
from chatservice.transports.emitter_sources import Source
from chatservice.transports.endpoints import Listener
from chatservice.transports.networks import Networks

# For each option: what is said, and what must be found in the settings then.
SAID: dict[str, tuple[list[str], str, Any]] = {
    "listen": (["tcp:1", r"tcp:2:interface=\:\:1"], "listeners", [1, 2]),
    "self-signed": (["8443"], "self_signed", [8443]),
    "line": (["tcp:3", "tcp:4"], "lines", [3, 4]),
    "workers": (["3"], "workers", 3),
    "public-url": (["https://chat.example.org/tea/"], "public_url", "https://chat.example.org/tea/"),
    "data": (["/srv/chat"], "data", Path("/srv/chat")),
    "store": (["memory:"], "store", "memory:"),
    "durability": (["process"], "durability", "process"),
    "archive": (["postgresql://h/db"], "archive", "postgresql://h/db"),
    "archive-password-file": ([__file__], "archive_password", Path(__file__).read_text().partition("\n")[0]),
    "redis-keep": (["300"], "redis_keep", 300),
    "default-dialect": (["text"], "default_dialect", "text"),
    "default-room": (["上海"], "default_room", "上海"),
    "lang": (["zh-CN"], "lang", "zh-CN"),
    "no-guests": (["1"], "guests", False),
    # Any file of some length will do for a secret.
    "site-key": ([f"new=HS256:{__file__}", f"HS256:{__file__}"], "site_keys", ["new", ""]),
    "site-audience": (["tea"], "site_audience", "tea"),
    "site-longest": (["60"], "site_longest_s", 60),
    "compression": (["1"], "compression", True),
    "origin": (
        ["https://www.example.org", "http://localhost:3000"],
        "origins",
        frozenset({("https", "www.example.org", 443), ("http", "localhost", 3000)}),
    ),
    "trusted-proxy": (["10.0.0.0/8", "unix"], "trusted", Networks((ip_network("10.0.0.0/8"),), True)),
    "proxy-protocol": (["1"], "proxy_protocol", True),
    "redirect": (["80", "tcp:8081:interface=127.0.0.1"], "redirects", [80, 8081]),
    "socketio-emitters": (
        ["redis://:pw@h/2?nick=Robot", "unix:/r.sock?db=1&key=a%20b&channel=c"],
        "emitters",
        [("h:6379", 2, "socket.io", "socketio", "Robot"), ("unix:/r.sock", 1, "a b", "c", "emitters")],
    ),
    "connections-per-address": (["7"], "per_address", 7),
    "connects-per-minute": (["none"], "per_minute", None),
    "limit-loopback": (["1"], "limit_loopback", True),
    "message-burst": (["7"], "messages", Rate(7, 2.0)),
    "message-rate": (["0.5"], "messages", Rate(10, 0.5)),
    "owner-token-file": ([__file__], "owner_token_file", Path(__file__)),
    "guest-key-file": ([__file__], "guest_key_file", Path(__file__)),
    "log-format": (["json"], "log_format", "json"),
    "log-level": (["debug"], "log_level", "debug"),
    "metrics-listen": (["tcp:5"], "metrics", [5]),
    "config": (["/dev/null"], "settings", Path("/dev/null")),
    "strict": (["1"], "strict", True),
    "echo-max": (["16777216"], "echo_max", 16_777_216),
    "insecure-no-limits": (["1"], "no_limits", True),
    "insecure-any-origin": (["1"], "any_origin", True),
}


# What cannot be said alone.
BESIDE = {
    "proxy-protocol": ["--trusted-proxy", "10.0.0.1"],
    "workers": ["--store", "redis://localhost"],
    "archive": ["--store", "redis://h"],
}


def found(config: Config, name: str) -> Any:
    value = getattr(config, name)
    if isinstance(value, Settings):
        return value.file
    if isinstance(value, Listener):
        value = (value,)
    if isinstance(value, tuple):
        return [_shown(one) for one in value]
    return value


def _shown(one: Any) -> Any:
    if isinstance(one, Source):
        return str(one.address), one.address.db, one.key, one.channel, one.nick
    return one.kid if isinstance(one, SiteKey) else one.port
