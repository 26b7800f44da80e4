"""Settings: every option on the command line and in the environment, and what is wrong in one line."""

from __future__ import annotations

import re
import resource
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
from said import BESIDE, SAID, found
from twisted.python.usage import UsageError

from chatservice.commands.flags import add_flags
from chatservice.config import OPTIONS, BadConfig, Config, read_config
from chatservice.flags import Options
from chatservice.preparing import KEPT_DESCRIPTORS, raise_file_limit


def from_flags(*arguments: str, environment: dict[str, str] | None = None) -> Config:
    """The settings `twistd chat ARGUMENTS` runs with."""
    options = Options()
    options.parseOptions(list(arguments))
    return read_config(options.given(), environment or {})


def test_defaults() -> None:
    """Without a word: page and chat on 8080, lines on 9000, both for this computer only, kept in SQLite."""
    config = from_flags()
    assert [(one.host, one.port, one.is_tls) for one in config.listeners] == [("127.0.0.1", 8080, False)]
    assert [(one.host, one.port) for one in config.lines] == [("127.0.0.1", 9000)]
    assert all(one.loopback for one in (*config.listeners, *config.lines))
    assert (config.self_signed, config.store, config.no_limits) == ((), "sqlite:", False)
    assert config.durability == "disk"
    assert (config.default_dialect, config.default_room, config.lang) == ("simple", "lobby", "en")
    assert config.data == Path("chat-data").absolute()


def test_the_table_above_is_complete() -> None:
    """No option goes untested."""
    assert set(SAID) == {option.name for option in OPTIONS}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_flag_and_variable_say_the_same(option: Any) -> None:
    """Each option can be given as --name and as CHAT_NAME."""
    values, name, wanted = SAID[option.name]
    if option.kind == "flag":
        flags = [f"--{option.name}"]
    else:
        flags = [word for value in values for word in (f"--{option.name}", value)]
    beside = BESIDE.get(option.name, [])
    assert found(from_flags(*flags, *beside), name) == wanted
    by_variable = from_flags(*beside, environment={option.variable: " ".join(values)})
    assert found(by_variable, name) == wanted
    assert found(by_variable, name) != found(from_flags(), name)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_empty_variable_counts_as_not_set(option: Any) -> None:
    """`CHAT_NAME=` in a compose file changes nothing."""
    name = SAID[option.name][1]
    assert found(from_flags(environment={option.variable: ""}), name) == found(from_flags(), name)


@pytest.mark.parametrize("value", ["0", "16777217", "-1", "64k", "", "１", "9" * 30])
def test_echo_max_is_a_number_of_bytes(value: str) -> None:
    """From one byte to 16 MiB; anything else is refused in one line."""
    with pytest.raises(BadConfig, match=r"^--echo-max .*: say a number of bytes from 1 to 16777216$"):
        from_flags("--echo-max", value)
    assert from_flags().echo_max == 65_536


def test_the_command_line_wins() -> None:
    """A flag is stronger than a variable; lists do not mix."""
    environment = {
        "CHAT_LISTEN": "tcp:1 tcp:2",
        "CHAT_LANG": "zh-CN",
        "CHAT_DATA": "/env",
        "CHAT_SELF_SIGNED": "1",
        "STATE_DIRECTORY": "/state",
    }
    flags = ["--listen", "tcp:5", "--lang", "en", "--data", "/flag", "--self-signed", "2"]
    config = from_flags(*flags, environment=environment)
    assert found(config, "listeners") == [5] and found(config, "self_signed") == [2]
    assert (config.lang, config.data) == ("en", Path("/flag"))
    assert from_flags(environment=environment).data == Path("/env")


def test_systemd_names_the_data_directory() -> None:
    """Under systemd the state directory is used, the first if there are several."""
    assert from_flags(environment={"STATE_DIRECTORY": "/var/lib/chat"}).data == Path("/var/lib/chat")
    assert from_flags(environment={"STATE_DIRECTORY": "/var/lib/chat:/var/lib/x"}).data == Path("/var/lib/chat")
    assert from_flags(environment={"STATE_DIRECTORY": ""}).data == Path("chat-data").absolute()


def test_no_lines() -> None:
    """`--line none` turns the TCP lines off, in the environment too."""
    assert from_flags("--line", "none").lines == ()
    assert from_flags(environment={"CHAT_LINE": "none"}).lines == ()


@pytest.mark.parametrize(
    ("said", "where"),
    [("8443", ("127.0.0.1", 8443)), ("8443:interface=0.0.0.0", ("0.0.0.0", 8443)), ("0", ("127.0.0.1", 0))],
)
def test_self_signed(said: str, where: tuple[str, int]) -> None:
    """A port alone is for this computer; an interface opens it."""
    (listener,) = from_flags("--self-signed", said).self_signed
    assert (listener.host, listener.port) == where


@pytest.mark.parametrize("said", ["memory", "memory:", "sqlite", "sqlite:", "sqlite:other.db"])
def test_stores(said: str) -> None:
    """The colon may be left out."""
    store = from_flags("--store", said).store
    assert store == (said if ":" in said else said + ":")


@pytest.mark.parametrize("value", ["1", "yes", "TRUE", "0", "no", "false", ""])
def test_flags_in_the_environment(value: str) -> None:
    """Yes and no in the usual words."""
    config = from_flags(environment={"CHAT_INSECURE_NO_LIMITS": value})
    assert config.no_limits == (value.lower() in ("1", "yes", "true"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--listen", "8080"], ["--listen", "8080", "tcp:8080"]),
        (["--listen", ""], ["--listen"]),
        (["--listen", "tcp:99999"], ["--listen", "99999"]),
        (["--listen", "tcp:http"], ["--listen", "http"]),
        (["--listen", "tcp:8080:interfce=127.0.0.1"], ["--listen", "interfce"]),
        (["--listen", "tcp:8080:interface=::1"], ["--listen", "interface", "backslash"]),
        (["--listen", "ssl:8443"], ["--listen", "privateKey"]),
        (["--line", "none", "--line", "tcp:1"], ["--line", "none"]),
        (["--line", "tcp:"], ["--line", "nothing"]),
        (["--self-signed", "https"], ["--self-signed", "https"]),
        (["--self-signed", "²"], ["--self-signed", "²"]),
        (["--self-signed", "99999"], ["--self-signed", "99999"]),
        *(
            (["--public-url", url], ["--public-url", "https://chat.example.org/"])
            for url in (
                "chat.example.org",
                "ftp://chat.example.org",
                "https://",
                "https://[::1",
                "https://ann@chat.example.org",
                "https://chat.example.org;script-src *",
                "https://聊天.example",
                "https://chat.example.org/?room=a",
            )
        ),
        (["--store", "mongo:"], ["--store", "mongo", "memory", "sqlite", "redis"]),
        (["--store", "redis://h", "--archive", "mongo://h"], ["--archive", "mongo", "postgresql", "sqlite"]),
        (["--archive", "sqlite:"], ["--archive", "--store redis://"]),
        (["--store", "redis://h", "--archive", "none:"], ["--archive", "none"]),
        (["--redis-keep", "10"], ["--redis-keep", "10", "256"]),
        (["--default-dialect", "line"], ["--default-dialect", "line", "simple"]),
        (["--default-room", "@ann"], ["--default-room", "@ann"]),
        (["--default-room", "\udcff"], ["--default-room"]),
        (["--lang", "de"], ["--lang", "de", "en, zh-CN"]),
        (["--line", "ssl:9001:privateKey=key.pem"], ["--line", "TLS"]),
        (["--redirect", "ssl:81:privateKey=key.pem"], ["--redirect", "TLS"]),
        *(
            (["--socketio-emitters", url], ["--socketio-emitters", why])
            for url, why in (
                ("h:6379", "redis:"),
                ("redis://h?nick=", "nick"),
                ("redis://h?kex=a", "db="),
                ("redis://h/a", "number"),
            )
        ),
        (["--redirect", "99999"], ["--redirect", "99999"]),
        (["--origin", "*"], ["--origin", "*", "--insecure-any-origin"]),
        *(
            (["--origin", origin], ["--origin", origin, "https://www.example.org"])
            for origin in (
                "null",
                "www.example.org",
                "https://www.example.org/",
                "ftp://x",
                "https://*.example.org:x",
            )
        ),
        (["--trusted-proxy", "10.0.0.1/8"], ["--trusted-proxy", "10.0.0.1/8"]),
        (["--trusted-proxy", "proxy.example.org"], ["--trusted-proxy", "proxy.example.org", "unix"]),
        (["--proxy-protocol"], ["--proxy-protocol", "--trusted-proxy"]),
        *((["--connections-per-address", n], ["--connections-per-address", n]) for n in ("0", "-1", "many", "²")),
        (["--connects-per-minute", "0"], ["--connects-per-minute", "0"]),
    ],
)
def test_what_is_wrong_is_one_line(flags: list[str], words: list[str]) -> None:
    """Each mistake is told in one line that names the option and what was said."""
    with pytest.raises(BadConfig) as bad:
        from_flags(*flags)
    told = str(bad.value)
    assert "\n" not in told
    assert [word for word in words if word not in told] == []


def test_a_flag_in_the_environment_that_is_neither() -> None:
    """A word that is neither yes nor no is not guessed at."""
    with pytest.raises(BadConfig, match="CHAT_INSECURE_NO_LIMITS=maybe"):
        from_flags(environment={"CHAT_INSECURE_NO_LIMITS": "maybe"})


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--lang"], ["stray"]])
def test_unknown_options(arguments: list[str]) -> None:
    """twistd's own way of refusing is kept."""
    with pytest.raises(UsageError):
        from_flags(*arguments)


MOST_SHOWN = 24


@pytest.mark.parametrize("options", [["chat"], ["chatservice"]])
def test_help_shows_what_many_need(options: list[str]) -> None:
    """Not more than 24 options are in `--help`, by either command; it says how to see the others."""
    if options == ["chat"]:
        text = Options().getUsage(width=4000)
    else:
        parser = ArgumentParser()
        add_flags(parser)
        text = parser.format_help()
    shown = {option.name for option in OPTIONS if re.search(rf"^ +--{option.name}\b(?!-)", text, re.MULTILINE)}
    assert shown == {option.name for option in OPTIONS if not option.seldom}
    assert len(shown) <= MOST_SHOWN and "--help-all" in text


def test_help_names_every_option_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help-all` says what each option is without its value."""
    with pytest.raises(SystemExit):
        Options().parseOptions(["--help-all"])
    text = " ".join(Options().getUsage(width=4000, whole=True).split())
    assert capsys.readouterr().out.split() == Options().getUsage(whole=True).split()
    for option in OPTIONS:
        assert f"--{option.name}" in text and option.help in text
        assert option.bracket in text


def test_the_file_limit_is_raised() -> None:
    """At the start the process takes all the descriptors it may have, and says how many connections fit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raise_file_limit() == max(0, hard - KEPT_DESCRIPTORS)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--site-key", "HS256"], "say it like"),
        (["--site-key", "none:/etc/hostname"], "say it like"),
        (["--site-key", "HS512:/etc/hostname"], "say it like"),
        (["--site-key", "HS256:/nowhere/at/all"], "cannot read"),
        (["--site-key", f"HS256:{__file__}", "--site-key", f"HS256:{__file__}"], "the same KID"),
        (["--site-key", f"EdDSA:{__file__}"], "no public key"),
        (["--site-longest", "an hour"], "number of seconds"),
    ],
)
def test_bad_site_keys(arguments: list[str], why: str) -> None:
    """A key that is none is one clear line before anything starts."""
    with pytest.raises(BadConfig, match=why):
        from_flags(*arguments)
