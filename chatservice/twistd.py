"""What `twistd chat` calls: see `twisted.application.service.IServiceMaker`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.application.service import IService

from chatservice.banner import background_notes, banner
from chatservice.config import FILES, BadConfig, Config, Given, read_config
from chatservice.flags import Options
from chatservice.logbook import is_json
from chatservice.planning import Becoming
from chatservice.preparing import start_notes
from chatservice.service import make_service
from chatservice.transports.assets import Pages
from chatservice.transports.endpoints import Listener

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """The chat, or what becomes the parent of its workers."""
    from twisted.internet import reactor

    parent: Mapping[str, Any] = options.parent or {}
    stays = "nodaemon" not in parent or bool(parent["nodaemon"])
    given = options.given()
    config = _several(given)
    if config is not None:
        return _becoming(given, config, reactor, parent, stays=stays)
    if stays:
        return make_service(given, os.environ, reactor)
    service = make_service(given, os.environ, reactor, say=None)
    _say_goodbye(service.config, service.listening.listeners, service.pages, parent)
    return service


def _several(given: Given) -> Config | None:
    """The settings, if there are to be several workers. What is wrong with them is told by who starts the chat."""
    try:
        config = read_config(given, os.environ, FILES)
    except BadConfig:
        return None
    return config if config.workers > 1 else None


def _becoming(given: Given, config: Config, reactor: Any, parent: Mapping[str, Any], *, stays: bool) -> Becoming:
    becoming = Becoming(given, config, os.environ, reactor)
    pid_file = os.path.abspath(parent.get("pidfile") or "twistd.pid")
    log = str(parent.get("logfile") or "-")
    if not stays:
        log = os.path.abspath(log if log != "-" else "twistd.log")
    elif log == "-":
        log = "stdout"
    as_json = is_json(config.log_format, sys.stdout) if log == "stdout" else config.log_format != "human"
    named = pid_file if parent.get("pidfile") else ""
    becoming.plan = replace(becoming.plan, log=log, json=as_json, says=stays, pid_file=named)
    if not stays:
        _say_goodbye(becoming.config, becoming.listeners(), Pages.load(), parent)
    return becoming


def _say_goodbye(config: Config, listeners: tuple[Listener, ...], pages: Pages, parent: Mapping[str, Any]) -> None:
    notes = start_notes(config, listeners, pages) + background_notes(
        os.path.abspath(parent.get("logfile") or "twistd.log"),
        os.path.abspath(parent.get("pidfile") or "twistd.pid"),
    )
    sys.stderr.write(banner(config, listeners, {}, notes))
