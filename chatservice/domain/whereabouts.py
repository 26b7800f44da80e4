"""Where people come from: what a ban by address goes by. Pure, and in memory only."""

from __future__ import annotations

from dataclasses import dataclass

from chatservice.domain.addresses import prefix_of
from chatservice.domain.events import User
from chatservice.domain.names import nick_key

REMEMBERED = 5000
"""People who have left that a moderator can still name: to come, shout and go should help nobody."""

_OURSELVES = frozenset({prefix_of("127.0.0.1"), prefix_of("::1")})


def network_of(address: str) -> str:
    """What of an address a ban goes by: an IPv4 address, or the /64 of an IPv6 one, which is what a household has.

    Empty for what is no address, such as a UNIX socket's, and for this computer's own: that is where a reverse
    proxy comes from, and with it everybody.

    :param address: see `addresses.read_address`.
    """
    prefix = prefix_of(address)
    return "" if prefix is None or prefix in _OURSELVES else prefix


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody who has left, and the address of that connection."""

    user: User
    address: str


class Whereabouts:
    """Those who left lately; the first to be forgotten is who left first."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._seen: dict[str, Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def note(self, user: User, address: str) -> None:
        """The user's connection from there has ended."""
        self._seen.pop(user.id, None)  # to the end
        self._seen[user.id] = Seen(user, address)
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]

    def find(self, user_id: str) -> Seen | None:
        """Who left by that id."""
        return self._seen.get(user_id)

    def named(self, nick: str) -> User | None:
        """Who left last by that nick."""
        key = nick_key(nick)
        return next((seen.user for seen in reversed(self._seen.values()) if nick_key(seen.user.nick) == key), None)
