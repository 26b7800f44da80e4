"""Where settings are said: the file, its mistakes, unknown names, secrets; and the pages made from the table."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from said import BESIDE, SAID, found

from chatservice.config import OPTIONS, BadConfig, Config, read_config
from chatservice.config.pages import configuration_page, sample_file
from chatservice.config.settings import in_words
from chatservice.flags import Options

CHECKOUT = Path(__file__).resolve().parents[2]


def from_file(directory: Path, text: str, environment: dict[str, str] | None = None, **given: Any) -> Config:
    """The settings with such a chat.toml."""
    file = directory / "chat.toml"
    file.write_text(text, "utf-8")
    return read_config(given, environment or {}, [directory / "missing.toml", file])


def in_toml(option: Any, values: list[str]) -> str:
    """What stands in the file for such words."""
    quoted = [json.dumps(value, ensure_ascii=False) for value in values]
    return {"flag": "true", "list": f"[{', '.join(quoted)}]"}.get(option.kind, quoted[0])


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.in_file], ids=lambda o: o.name)
def test_the_file_says_the_same(option: Any, tmp_path: Path) -> None:
    """Each option can stand in the file, under the name of its flag."""
    values, name, wanted = SAID[option.name]
    beside = Options()
    beside.parseOptions(BESIDE.get(option.name, []))
    config = from_file(tmp_path, f"{option.name} = {in_toml(option, values)}\n", **beside.given())
    assert found(config, name) == wanted
    setting = config.settings.by_name[option.name]
    assert (setting.source, setting.called) == ("file", f"{tmp_path / 'chat.toml'}: {option.name}")


def test_a_store_that_is_a_secret(tmp_path: Path) -> None:
    """What the service manager hands over as `store` is weaker than what is said, and stronger than the
    default; the table of settings does not show it."""
    (tmp_path / "store").write_text("redis://chat:secret@127.0.0.1\n")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    config = read_config({}, environment)
    assert config.store == "redis://chat:secret@127.0.0.1"
    assert "secret" not in in_words(config.settings.by_name["store"])
    assert read_config({"workers": "2"}, environment).workers == 2
    assert read_config({"store": "memory:"}, environment).store == "memory:"
    assert read_config({}, {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}).store == "sqlite:"


@pytest.mark.parametrize("said", ["0", "65", "-1", "two", "1.5", ""])
def test_how_many_workers(said: str) -> None:
    """A number from 1 to 64; more than one have neither a store of one nor numbers that only one of them tells."""
    with pytest.raises(BadConfig, match="say a number from 1 to 64"):
        read_config({"workers": said, "store": "redis://localhost"}, {})
    with pytest.raises(BadConfig, match="several processes need a store that they can share"):
        read_config({"workers": "2"}, {})
    with pytest.raises(BadConfig, match="each process has numbers of its own"):
        read_config({"workers": "2", "store": "redis://localhost", "metrics-listen": "public"}, {})


def test_who_is_stronger(tmp_path: Path) -> None:
    """Flag over variable over file over default, each alone and all together; every setting knows its source."""
    text = 'lang = "zh-CN"\ndefault-room = "file"\nstore = "memory:"\nlisten = ["tcp:1", "tcp:2"]\n'
    environment = {"CHAT_DEFAULT_ROOM": "variable", "CHAT_STORE": "sqlite:", "CHAT_LISTEN": "tcp:3"}
    config = from_file(tmp_path, text, environment, store="sqlite:flag.db")
    assert (config.lang, config.default_room, config.store) == ("zh-CN", "variable", "sqlite:flag.db")
    assert found(config, "listeners") == [3], "lists do not mix"
    sources = {name: setting.source for name, setting in config.settings.by_name.items()}
    assert [sources[name] for name in ("durability", "lang", "default-room", "store")] == [
        "default",
        "file",
        "environment",
        "flag",
    ]


def test_a_variable_takes_a_flag_of_the_file_back(tmp_path: Path) -> None:
    """`CHAT_COMPRESSION=0` is stronger than `compression = true`."""
    assert from_file(tmp_path, "compression = true\n").compression
    assert not from_file(tmp_path, "compression = true\n", {"CHAT_COMPRESSION": "0"}).compression


def test_numbers_may_be_numbers(tmp_path: Path) -> None:
    """Nobody has to quote a number; a port alone may stand where several may."""
    config = from_file(tmp_path, "connects-per-minute = 60\nmessage-rate = 0.5\nredirect = 80\n")
    assert (config.per_minute, config.messages.per_s, found(config, "redirects")) == (60, 0.5, [80])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lang = \n", ["is not TOML", "line 1"]),
        ('lang = "de"\n', ["chat.toml: lang", "de", "en, zh-CN"]),
        ("lang = true\n", ["chat.toml: lang", "string"]),
        ('compression = "yes"\n', ["chat.toml: compression", "true or false"]),
        ("message-burst = 0\n", ["chat.toml: message-burst", "above 0"]),
        ('message-rate = "fast"\n', ["chat.toml: message-rate", "2 or 0.5"]),
        ("listen = [1.5, [2]]\n", ["chat.toml: listen", "say a string"]),
        ("\udcff", None),
    ],
)
def test_mistakes_in_the_file(text: str, words: list[str] | None, tmp_path: Path) -> None:
    """Each is one line that says where it is."""
    file = tmp_path / "chat.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadConfig) as bad:
        read_config({}, {}, [file])
    told = str(bad.value)
    assert str(file) in told and "\n" not in told
    assert [word for word in words or ["is not TOML"] if word not in told] == []


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Of each place and each kind, one line a mistake; what nobody knows is one of them where that is asked."""
    (tmp_path / "chat.toml").write_text('lang = "de"\ncompression = "yes"\nwhatever = 1\n')
    environment = {"CHAT_LIMIT_LOOPBACK": "maybe", "CHAT_STORE": "floppy"}
    with pytest.raises(BadConfig) as bad:
        read_config({"message-rate": "fast"}, environment, [tmp_path / "chat.toml"], strict=True)
    for line, words in zip(
        sorted(bad.value.lines, key=lambda line: line.replace(str(tmp_path), "")),
        ("--message-rate", "compression", "lang", "whatever", "CHAT_LIMIT_LOOPBACK", "CHAT_STORE"),
        strict=True,
    ):
        assert words in line
    assert str(bad.value) == "; ".join(bad.value.lines)


@pytest.mark.parametrize("store", ["redis://:my secret@h", "secret@h", "secret:x", "redis://h secret"])
def test_a_password_is_not_said_again(store: str) -> None:
    """What is wrong with an address may have a password in it."""
    with pytest.raises(BadConfig) as bad:
        read_config({"store": store}, {})
    assert "secret" not in str(bad.value)


def test_an_archive_is_for_one_server() -> None:
    """With several it is refused where it is said; a number that is no number is one line."""
    with pytest.raises(BadConfig, match="--archive: an archive is for one Redis"):
        read_config({"store": "redis://a redis://b", "archive": "sqlite:"}, {})


def test_a_space_in_a_path_divides_nothing() -> None:
    """Beside a file whose path has a space in it an archive is refused for what is wrong: there is no Redis."""
    with pytest.raises(BadConfig, match=r"--archive: an archive is for Redis \(--store redis://…\)"):
        read_config({"store": "sqlite:/a place/chat.db", "archive": "sqlite:/a place/archive.db"}, {})
    config = read_config({"store": "redis://a", "archive": "sqlite:/a place/archive.db"}, {})
    assert config.archive == "sqlite:/a place/archive.db"
    with pytest.raises(BadConfig, match="--redis-keep"):
        read_config({"store": "redis://a", "redis-keep": "9" * 5000}, {})


def test_the_file_that_was_named(tmp_path: Path) -> None:
    """`--config` and `CHAT_CONFIG` name it; one that is missing is an error then, and none is looked for."""
    other = tmp_path / "other.toml"
    other.write_text('lang = "zh-CN"\n')
    assert from_file(tmp_path, "", config=str(other)).lang == "zh-CN"
    assert from_file(tmp_path, "", {"CHAT_CONFIG": str(other)}).lang == "zh-CN"
    with pytest.raises(BadConfig, match=r"nowhere.toml: No such file"):
        from_file(tmp_path, "", config=str(tmp_path / "nowhere.toml"))
    assert read_config({}, {}, [tmp_path / "nowhere.toml"]).settings.file is None


def test_unknown_names(tmp_path: Path) -> None:
    """They are told with the nearest known name, and are an error if one is strict."""
    text, environment = 'lisen = "tcp:1"\nconfig = "x"\n[limits]\nfast = 1\n', {"CHAT_LISTN": "1", "CHATTY": "1"}
    unknown = from_file(tmp_path, text, environment).settings.unknown
    assert len(unknown) == 4 and all("unknown setting" in line for line in unknown)
    assert "did you mean listen?" in unknown[0] and "did you mean CHAT_LISTEN?" in unknown[3]
    for strict in ({"given": {"strict": True}}, {"environment": {"CHAT_STRICT": "1"}}):
        with pytest.raises(BadConfig, match=r"lisen.*did you mean listen\?.*CHAT_LISTN"):
            from_file(tmp_path, text, {**environment, **strict.get("environment", {})}, **strict.get("given", {}))  # type: ignore[dict-item]


def test_secrets_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that we may not look into is one line as well, wherever a file of it is wanted."""

    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)  # root, who runs the tests, may look into all
    with pytest.raises(BadConfig) as bad:
        read_config({"site-key": ["HS256:site"]}, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert len(bad.value.lines) == 5 and all("Permission denied" in line for line in bad.value.lines)


def test_secrets_of_the_service_manager(tmp_path: Path) -> None:
    """What systemd has put into its directory is found by name; a file that was named is stronger."""
    for name in ("owner-token", "guest-key", "site-secret", "archive-password"):
        (tmp_path / name).write_bytes(b"x" * 32)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    config = read_config({"site-key": ["HS256:site-secret"]}, environment)
    assert config.owner_token_path == tmp_path / "owner-token"
    assert config.guest_key_path == tmp_path / "guest-key"
    assert config.archive_password == "x" * 32
    assert len(config.site_keys) == 1
    assert read_config({"owner-token-file": __file__}, environment).owner_token_path == Path(__file__)
    bare = read_config({}, {})
    assert (bare.owner_token_path, bare.guest_key_path) == (bare.data / "owner.token", bare.data / "guest.key")
    with pytest.raises(BadConfig, match=r"--owner-token-file .*no such file"):
        read_config({"owner-token-file": "/nowhere/at/all"}, {})


def test_the_pages_are_of_this_table() -> None:
    """docs/configuration.md and deploy/chat.toml are what the table makes; `make pages` writes them."""
    assert (CHECKOUT / "docs" / "configuration.md").read_text("utf-8") == configuration_page()
    assert (CHECKOUT / "deploy" / "chat.toml").read_text("utf-8") == sample_file()


def test_the_sample_says_the_defaults(tmp_path: Path) -> None:
    """As it is it says nothing; uncommented it has every option and says what holds anyway."""
    sample = sample_file()
    assert tomllib.loads(sample) == {}
    said = "\n".join(
        line.removeprefix("#") for line in sample.splitlines() if line.startswith("#") and line[:2] != "# "
    )
    assert set(tomllib.loads(said.replace("##", "#"))) == {option.name for option in OPTIONS if option.in_file}
    beside = "\n".join(line for line in said.splitlines() if not line.startswith("#"))
    config = from_file(tmp_path, beside)
    default = read_config({}, {})
    for option in OPTIONS:
        name = SAID[option.name][1]
        if name != "settings":
            assert found(config, name) == found(default, name), option.name
