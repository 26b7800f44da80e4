"""docs/configuration.md, its Chinese sister and deploy/chat.toml, written from the table; tests hold them to it.

`python -m chatservice.config.pages docs/configuration.md deploy/chat.toml` writes them, the sister
beside the first.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from chatservice.config import chinese
from chatservice.config.table import GROUPS, OPTIONS, Option

_HEAD = """\
# Settings

[中文](configuration.zh.md) · installing it: [deploy.md](deploy.md) · operating it: [operations.md](operations.md)

Made from the table in `chatservice/config/table.py` by `make pages`, in Chinese with the sentences of
`chatservice/config/chinese.py`. Each setting has three spellings:
`--listen` on the command line of `chatservice run` and `twistd chat`, `CHAT_LISTEN` in the environment,
`listen` in the file. The command line is stronger than the environment, that than the file, that than the
default. Lists do not mix: the strongest place has all of it. In the environment white space separates several;
an empty variable says nothing.

The file is TOML: `--config FILE`, else `./chat.toml`, else `/etc/chatservice/chat.toml`.
[deploy/chat.toml](../deploy/chat.toml) has every setting with its default. Paths are seen from the working
directory. A name in the file, or one beginning with `CHAT_` in the environment, that is none of these is a
warning at the start, and an error with `--strict`.

`chatservice check-config` says all that is wrong (names that nobody knows too), or what holds and where it
was said. SIGHUP reads the file again: what has *yes* below is taken at once; of all else the log says that it
waits for a restart. A file that cannot be used changes nothing.

Secrets are never settings themselves but files. Under systemd
`LoadCredential=owner-token:/etc/chatservice/owner-token` and `LoadCredential=guest-key:…` are found by
themselves, and with `--site-key HS256:site-secret` so is `LoadCredential=site-secret:…`.
"""

_SAMPLE_HEAD = """\
# Settings of chatservice. Everything here is the default and commented out; `chatservice check-config` checks it.
# docs/configuration.md has it in full. The command line and CHAT_* in the environment are stronger.
"""


def configuration_page() -> str:
    """docs/configuration.md."""
    return _page(_HEAD, "| setting | does | default | SIGHUP |", "yes", GROUPS, OPTIONS)


def chinese_page() -> str:
    """docs/configuration.zh.md."""
    groups = [chinese.GROUPS[group] for group in GROUPS]
    return _page(chinese.HEAD, chinese.COLUMNS, chinese.YES, groups, [chinese.in_chinese(o) for o in OPTIONS])


def _page(head: str, columns: str, yes: str, groups: Sequence[str], options: Sequence[Option]) -> str:
    parts = [head]
    for group in groups:
        parts.append(f"\n## {group}\n\n{columns}\n|---|---|---|---|\n")
        parts += (_row(option, yes) for option in options if option.group == group)
    return "".join(parts)


def sample_file() -> str:
    """deploy/chat.toml."""
    parts = [_SAMPLE_HEAD]
    for group in GROUPS:
        options = [option for option in OPTIONS if option.group == group and option.in_file]
        parts += [f"\n## {group}\n"] if options else []
        for option in options:
            text = option.help if not option.otherwise else option.described
            parts.append("\n" + textwrap.fill(text, 100, initial_indent="# ", subsequent_indent="# ") + "\n")
            parts.append(f"#{option.name} = {_toml(option)}{f'  # {option.unit}' if option.unit else ''}\n")
    return "".join(parts)


def _row(option: Option, yes: str) -> str:
    default = option.otherwise or (f"`{option.default}` {option.unit}".strip() if option.default else "")
    text = option.help.replace("|", "\\|")
    kind = {"flag": "", "list": " …", "number": " N", "value": " …"}[option.kind]
    return f"| `--{option.name}{kind}` | {text} | {default} | {yes if option.reloads else ''} |\n"


def _toml(option: Option) -> str:
    if option.kind == "flag":
        return "false"
    if option.kind == "list":
        return json.dumps(option.default.split())
    return option.default if option.kind == "number" else json.dumps(option.default)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(configuration_page(), "utf-8")
    page.with_suffix(".zh.md").write_text(chinese_page(), "utf-8")
    Path(sys.argv[2]).write_text(sample_file(), "utf-8")
