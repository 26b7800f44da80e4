"""`chatservice check-config`: what is wrong with the settings, or what holds and where it was said."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from chatservice.commands.flags import add_flags, given_by
from chatservice.config import FILES, BadConfig, Setting, read_config
from chatservice.config.settings import in_words
from chatservice.domain.ports import LogError
from chatservice.logs.archive_registry import database_of_archive
from chatservice.logs.registry import BadStore, check_store
from chatservice.service import examine
from chatservice.transports.endpoints import BadEndpoint
from chatservice.transports.tls import BadCertificate


def arguments(parser: ArgumentParser) -> None:
    """The same flags as of `run`; what they say is checked with all else."""
    add_flags(parser)


def run(args: Namespace) -> int:
    """Change nothing, listen nowhere; a service that runs is not disturbed."""
    from twisted.internet import reactor

    try:
        config = read_config(given_by(args), os.environ, FILES, strict=True)
    except BadConfig as error:
        return _refuse(error.lines)
    wrong: list[str] = []
    for look in (
        lambda: check_store(config.store, config.durability),
        lambda: database_of_archive(config.archive, config.data, config.archive_password),
        lambda: examine(config, reactor),
    ):
        try:
            look()
        except (BadConfig, BadStore, LogError, BadEndpoint, BadCertificate) as error:
            wrong.append(str(error))
    if wrong:
        return _refuse(wrong)
    for setting in config.settings.by_name.values():
        where = setting.source if setting.source == "default" else setting.called
        sys.stdout.write(f"{setting.option.name:<24} {_shown(setting):<40} {where}\n")
    return 0


def _refuse(lines: Iterable[str]) -> int:
    sys.stderr.writelines(f"chatservice: {line}\n" for line in lines)
    return 1


def _shown(setting: Setting) -> str:
    return in_words(setting) or (setting.option.otherwise and f"({setting.option.otherwise})") or "-"
