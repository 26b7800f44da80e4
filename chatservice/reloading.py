"""Taking changed settings while people talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.logger import Logger

from chatservice.config import BadConfig, Config
from chatservice.config.settings import Settings
from chatservice.domain.hub import Hub
from chatservice.listening import Listening
from chatservice.logbook import OF_THE_LOG, THRESHOLD
from chatservice.preparing import bounds
from chatservice.transports.surroundings import Surroundings

_log = Logger("chatservice")


def read_again(read: Callable[[], Config], now: Config) -> Config:
    """The settings as they are from now on: `now` with what has changed and can be taken.

    What cannot be read changes nothing. Either way the log says it, in one line for each setting.
    """
    try:
        wanted = read()
    except BadConfig as error:
        _log.error("the settings stay as they are: {reason}", event="reload_failed", reason=str(error))
        return now
    say_unheard(wanted.settings)
    for line in wanted.settings.unknown:
        _log.warn("{line}", event="unknown_setting", line=line)
    for name, setting in wanted.settings.by_name.items():
        before = now.settings.by_name[name]
        if setting.value == before.value or (name in OF_THE_LOG and not THRESHOLD.is_heard):
            continue
        if setting.option.reloads:
            _log.info("{name} has changed", event="setting_changed", name=name, source=setting.source)
        else:
            _log.warn(
                "{name} has changed; that is taken at the next start", event="setting_waits_for_restart", name=name
            )
    by_name = {
        name: setting if setting.option.reloads else now.settings.by_name[name]
        for name, setting in wanted.settings.by_name.items()
    }
    return replace(
        now,
        origins=wanted.origins,
        messages=wanted.messages,
        per_address=wanted.per_address,
        per_minute=wanted.per_minute,
        limit_loopback=wanted.limit_loopback,
        log_level=wanted.log_level,
        settings=replace(wanted.settings, by_name=by_name),
    )


def say_unheard(settings: Settings) -> None:
    """Warn of settings of the log where they have no effect, since twistd was told who writes it."""
    for name in OF_THE_LOG:
        setting = settings.by_name[name]
        if setting.source != "default" and not THRESHOLD.is_heard:
            _log.warn(
                "{name} has no effect on the log of this twistd", event="setting_unheard", name=setting.called
            )


def apply(config: Config, hub: Hub, around: Surroundings, listening: Listening) -> None:
    """Let them hold for whoever is there and whoever comes."""
    hub.limit(None if config.no_limits else config.messages)
    around.admission.limit(bounds(config))
    around.chronicle.enabled = config.notes_connections
    listening.allow(config.origins)
    THRESHOLD.set(config.log_level)
