"""What was said, and where: the command line over the environment over the file over defaults."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatservice.config.table import OPTIONS, Option

FILES = (Path("chat.toml"), Path("/etc/chatservice/chat.toml"))
"""Where settings are looked for that nobody named a file for; the first one counts."""

Given = Mapping[str, str | Sequence[str] | bool]
"""What stood on the command line, by the names of options."""

Value = str | tuple[str, ...] | bool


class BadConfig(ValueError):
    """The settings cannot be used; its text is one line for the operator.

    :ivar lines: one for each thing that is wrong.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as it holds.

    :ivar source: `default`, `file`, `environment` or `flag`.
    :ivar called: what it is called there, so that it can be found: `--lang`, `CHAT_LANG`, `chat.toml: lang`.
    """

    option: Option
    value: Value
    source: str
    called: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them.

    :ivar by_name: each option, also where nothing was said.
    :ivar unknown: one line for each name in the file or the environment that nobody knows.
    :ivar wrong: one line for each that is of the wrong kind; what holds by default is in its place.
    :ivar file: what was read.
    """

    by_name: Mapping[str, Setting]
    unknown: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    file: Path | None = None


def gather(given: Given, environment: Mapping[str, str], files: Iterable[Path] = ()) -> Settings:
    """Collect them.

    :param files: where to look if no file was named.
    :raises BadConfig: if the file cannot be read.
    """
    file, members = _file(str(given.get("config") or environment.get("CHAT_CONFIG") or ""), files)
    found: dict[str, Setting] = {}
    wrong: list[str] = []
    for option in OPTIONS:
        setting = None
        try:
            setting = (
                _from_flag(option, given.get(option.name))
                or _from_environment(option, environment.get(option.variable, ""))
                or _from_file(option, members, file)
                or _from_credential(option, environment)
            )
        except BadConfig as error:
            wrong += error.lines
        found[option.name] = setting or _by_default(option)
    unknown = (*_unknown_members(members, file), *_unknown_variables(environment))
    return Settings(found, unknown, tuple(wrong), file)


def _file(named: str, files: Iterable[Path]) -> tuple[Path | None, Mapping[str, Any]]:
    path = Path(named).expanduser() if named else next((path for path in files if path.exists()), None)
    if path is None:
        return None, {}
    try:
        return path, tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(f"cannot read the settings in {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not TOML: {error}") from error


def _by_default(option: Option) -> Setting:
    value: Value = option.default
    if option.kind == "flag":
        value = False
    elif option.kind == "list":
        value = tuple(option.default.split())
    return Setting(option, value, "default", f"--{option.name}")


def _from_flag(option: Option, said: str | Sequence[str] | bool | None) -> Setting | None:
    # An empty word is one: it is refused, not taken for silence.
    if said is None or (option.kind in ("flag", "list") and not said):
        return None
    value: Value = True
    if option.kind != "flag":
        value = said if isinstance(said, str) else tuple(said)  # type: ignore[arg-type]
    return Setting(option, value, "flag", f"--{option.name}")


def _from_environment(option: Option, said: str) -> Setting | None:
    if not said:  # an empty variable is how compose files and systemd units leave one out
        return None
    value: Value = said
    if option.kind == "list":
        value = tuple(said.split())
    elif option.kind == "flag":
        if said.lower() not in ("0", "1", "no", "yes", "false", "true"):
            raise BadConfig(f"{option.variable}={said}: say 1 or 0")
        value = said.lower() in ("1", "yes", "true")
    return Setting(option, value, "environment", option.variable) if value != () else None


def _from_credential(option: Option, environment: Mapping[str, str]) -> Setting | None:
    """What the service manager hands over as a secret (systemd.exec(5), CREDENTIALS): the address of a store may
    have a password in it, which belongs neither on a command line nor into a file that everybody reads.
    """
    directory = environment.get("CREDENTIALS_DIRECTORY", "")
    path = Path(directory) / option.name
    if option.name != "store" or not directory:
        return None
    try:
        if not path.is_file():
            return None
        return Setting(option, path.read_text("utf-8").strip(), "file", "store in $CREDENTIALS_DIRECTORY")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"cannot read {path}: {error}") from error


def _from_file(option: Option, members: Mapping[str, Any], file: Path | None) -> Setting | None:
    if option.name not in members or not option.in_file:
        return None
    said, called = members[option.name], f"{file}: {option.name}"
    value: Value
    if option.kind == "flag":
        if not isinstance(said, bool):
            raise BadConfig(f"{called}: say true or false")
        value = said
    elif option.kind == "list":
        several = said if isinstance(said, list) else [said]
        value = tuple(_word(one, called, "say a string, or several in [ ]") for one in several)
    else:
        value = _word(said, called, "say a number" if option.kind == "number" else "say a string")
    return Setting(option, value, "file", called)


def _word(said: object, called: str, advice: str) -> str:
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        raise BadConfig(f"{called}: {advice}")
    return str(said)


def _unknown_members(members: Mapping[str, Any], file: Path | None) -> Iterable[str]:
    known = [option.name for option in OPTIONS if option.in_file]
    return [f"{file}: {_unknown(name, known)}" for name in members if name not in known]


def _unknown_variables(environment: Mapping[str, str]) -> Iterable[str]:
    known = [option.variable for option in OPTIONS]
    said = (name for name in environment if name.startswith("CHAT_") and name not in known)
    return [f"environment: {_unknown(name, known)}" for name in sorted(said)]


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1) or difflib.get_close_matches(name.lower(), known, 1)
    return f"unknown setting {name!r}" + (f"; did you mean {near[0]}?" if near else "")


def in_words(setting: Setting) -> str:
    """The value for whoever looks after the service. A Redis or PostgreSQL is shown by its kind only: its address
    may hold a password in more than one place. Of several the ranges are shown too.
    """
    value = setting.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        if setting.option.name == "socketio-emitters":
            value = tuple(f"{one.partition(':')[0]}:…" for one in value)
        return ", ".join(value)
    if setting.option.name not in ("store", "archive") or value.partition(":")[0] in ("memory", "sqlite", "none"):
        return value
    words = value.split() if setting.option.name == "store" else [value]
    # What does not begin as an address does may be a piece of a password with a space in it.
    return " ".join(
        f"{kind}:…" if "//" in rest or kind == "unix" else "…"
        for kind, _, rest in (w.partition(":") for w in words)
    )
