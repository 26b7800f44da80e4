"""Who may do what in a room, as its log has it. Pure: the rules are a fold over `Moderated` entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Moderated, User

ROLES = ("guest", "member", "mod", "owner")
"""Rising; who holds one holds all below it."""

ACTIONS = frozenset(
    {"mute", "unmute", "kick", "ban", "unban", "slow", "lock", "private", "role", "expires", "topic"}
)
_ON_PEOPLE = frozenset({"mute", "unmute", "kick", "ban", "unban", "role"})
_SECONDS = re.compile("[0-9]{1,9}")  # up to 31 years: more would not fit everywhere it goes
_VALUES = {
    "role": re.compile("|".join(ROLES)),
    "slow": _SECONDS,
    "expires": _SECONDS,
    "lock": re.compile("on|off"),
    "private": re.compile("on|off"),
    "topic": re.compile(r"[^\x00-\x1f\x7f]{0,200}"),
}
_ANYTHING = re.compile(".*", re.DOTALL)

V = TypeVar("V")


def rank(role: str) -> int:
    """How much a role may."""
    return ROLES.index(role) if role in ROLES else 0


@dataclass(frozen=True, slots=True)
class Rules:
    """A room's standing orders.

    :ivar roles: user id to role, for those above guest.
    :ivar muted: user id to the end of the mute, in milliseconds since 1970; 0 for ever. So `banned`.
    :ivar slow_s: seconds a person must wait between messages.
    :ivar locked: only moderators write.
    :ivar private: only those who have a role here may be in it, and only they find it.
    :ivar expires_s: entries older than this are pruned; 0 keeps them.
    :ivar topic: what the room is about, at most 200 code points.
    :ivar networks: user id to the addresses that were banned with it; they are as long as the user is.
    :ivar nicks: user id to the nick by which it was muted or banned.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    muted: Mapping[str, int] = field(default_factory=dict)
    banned: Mapping[str, int] = field(default_factory=dict)
    slow_s: int = 0
    locked: bool = False
    private: bool = False
    expires_s: int = 0
    topic: str = ""
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nicks: Mapping[str, str] = field(default_factory=dict)

    def role(self, user_id: str, own: str) -> str:
        """The higher of a user's role here and the one it has everywhere."""
        here = self.roles.get(user_id, "guest")
        return here if rank(here) > rank(own) else own

    def is_muted(self, user_id: str, now_ms: int) -> bool:
        """Whether the user may not write now."""
        return _holds(self.muted, user_id, now_ms)

    def is_banned(self, user_id: str, now_ms: int) -> bool:
        """Whether the user may not be here now."""
        return _holds(self.banned, user_id, now_ms)

    def bars(self, network: str, now_ms: int) -> bool:
        """Whether strangers from that address may not come in now; see `network_of`."""
        return bool(network) and any(
            network in networks and self.is_banned(user_id, now_ms) for user_id, networks in self.networks.items()
        )


NO_RULES = Rules()


def _holds(until: Mapping[str, int], user_id: str, now_ms: int) -> bool:
    end = until.get(user_id)
    return end is not None and (end == 0 or end > now_ms)


def may(action: str, role: str, target_role: str | None) -> bool:
    """Whether somebody with `role` may do this, to somebody with `target_role` if it is about somebody. What is no
    action anybody may try: it is refused for that."""
    needed = "owner" if action in ("role", "expires") else "mod" if action in ACTIONS else "guest"
    is_above = target_role is None or rank(target_role) < rank(role) or rank(role) == rank("owner")
    return rank(role) >= rank(needed) and (is_above or action not in _ON_PEOPLE)


def check(body: Moderated) -> None:
    """Whether it makes sense.

    :raises Refused: `bad_request`.
    """
    if body.action not in ACTIONS or (body.action in _ON_PEOPLE) != (body.target is not None):
        raise Refused(Code.BAD_REQUEST, "bad_mod")
    if not _VALUES.get(body.action, _ANYTHING).fullmatch(body.value):
        raise Refused(Code.BAD_REQUEST, "bad_mod")


def apply(rules: Rules, body: Moderated) -> Rules:
    """The rules after `body`; it has been checked."""
    target = body.target.id if body.target is not None else ""
    return _named(_applied(rules, body, target), body.target)


def _applied(rules: Rules, body: Moderated, target: str) -> Rules:
    match body.action:
        case "mute":
            return replace(rules, muted={**rules.muted, target: body.until})
        case "unmute":
            return replace(rules, muted=_without(rules.muted, target))
        case "ban":
            networks = _without(rules.networks, target)
            if body.networks:
                networks[target] = body.networks
            return replace(rules, banned={**rules.banned, target: body.until}, networks=networks)
        case "unban":
            banned, networks = _without(rules.banned, target), _without(rules.networks, target)
            return replace(rules, banned=banned, networks=networks)
        case "role":
            roles = _without(rules.roles, target)
            return replace(rules, roles=roles if body.value == "guest" else {**roles, target: body.value})
        case "slow":
            return replace(rules, slow_s=int(body.value))
        case "lock":
            return replace(rules, locked=body.value == "on")
        case "private":
            return replace(rules, private=body.value == "on")
        case "expires":
            return replace(rules, expires_s=int(body.value))
        case "topic":
            return replace(rules, topic=body.value)
    return rules  # a kick is over when it is done


def _named(rules: Rules, target: User | None) -> Rules:
    """With the nick of the target as long as it is muted or banned: it may be gone, and its id is hard to type."""
    if target is None:
        return rules
    nicks = _without(rules.nicks, target.id)
    if target.id in rules.muted or target.id in rules.banned:
        # An id in the place of a nick says that nobody knew it then.
        nicks[target.id] = target.nick if target.nick != target.id else rules.nicks.get(target.id, target.nick)
    return rules if nicks == rules.nicks else replace(rules, nicks=nicks)


def _without(mapping: Mapping[str, V], key: str) -> dict[str, V]:
    return {name: value for name, value in mapping.items() if name != key}
