"""`chatservice run`: the chat in the foreground, its log on stderr; Ctrl-C ends it in good order."""

from __future__ import annotations

import os
import sys
import webbrowser
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import Any

from twisted.logger import globalLogBeginner

from chatservice.commands.flags import add_flags, given_by
from chatservice.config import FILES, read_config
from chatservice.logbook import THRESHOLD, is_json, observer
from chatservice.planning import Becoming
from chatservice.service import ChatService, make_service
from chatservice.worker import Worker


def arguments(parser: ArgumentParser) -> None:
    """All settings, and what makes sense on a desktop only."""
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    add_flags(parser)


def run(args: Namespace) -> int:
    """Serve until somebody ends it."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    given = given_by(args)
    config = read_config(given, os.environ, FILES)  # the log must be there before anything is written to it
    stderr = sys.stderr
    as_json = is_json(config.log_format, stderr)
    worker = Worker.take(os.environ)
    if worker is None and config.workers > 1:
        becoming = Becoming(given, config, os.environ, reactor)
        becoming.plan = replace(becoming.plan, json=as_json, says=not as_json)
        if args.open:
            webbrowser.open(becoming.listeners()[0].url("http"))
        becoming.become()
    say = None if as_json else stderr.write
    service = make_service(given, os.environ, reactor, say=say, worker=worker)
    name = "" if worker is None else str(worker.slot)
    globalLogBeginner.beginLoggingTo(
        [observer(config.log_format, THRESHOLD, stderr, name)], redirectStandardIO=False
    )
    service.privilegedStartService()
    service.startService()
    if args.open:
        reactor.callWhenRunning(reactor.callInThread, webbrowser.open, page_url(service))
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    return 0


def page_url(service: ChatService) -> str:
    """Where the page is, as a browser on this computer finds it."""
    listener = service.listening.listeners[0]
    return listener.url("http", service.listening.ports.get(listener))
