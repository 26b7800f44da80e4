"""What a `ClientCore` tells the program around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Frame = Mapping[str, Any]
"""One JSON object of the wire, as it came. Members nobody knows are in it too."""


# --- about the connection: the first two are orders to whoever holds the socket ---


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection now, and call `opened` or `closed`."""


@dataclass(frozen=True, slots=True)
class Drop:
    """End the connection you have; hand over nothing that it still brings."""

    reason: str


@dataclass(frozen=True, slots=True)
class Online:
    """Hello was answered; `user` is who we are."""

    user: Frame


@dataclass(frozen=True, slots=True)
class Offline:
    """The connection is gone; the next attempt is due at `due`, on the clock of `now`.

    :ivar code: the close code, None when we gave up first or there was none.
    """

    reason: str
    code: int | None
    due: float


@dataclass(frozen=True, slots=True)
class Over:
    """It is over and will not be tried again."""

    reason: str
    code: int | None


@dataclass(frozen=True, slots=True)
class NickTaken:
    """Somebody has the nick we asked for; we come in without it."""

    nick: str


# --- about rooms ---


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """We are in a room, and our view of it is true up to `result["seq"]` once the events that follow are applied.

    :ivar was_reset: the view was replaced by the newest messages; `reason` says why, empty at the first join.
    """

    room: str
    was_reset: bool
    reason: str
    result: Frame


@dataclass(frozen=True, slots=True)
class RoomLost:
    """We are not in a room any more, or could not get in, and do not try again."""

    room: str
    code: str


@dataclass(frozen=True, slots=True)
class Truncated:
    """Numbers above `after` did not survive; the view has dropped them."""

    room: str
    after: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A durable event: told once each, in order, without a gap."""

    room: str
    seq: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Told:
    """Anything else the server tells: who comes and goes, who types, who has read how far."""

    type: str
    frame: Frame


# --- answers ---


@dataclass(frozen=True, slots=True)
class Replied:
    """A request was done. `id` is what its method returned; for `say` that is the cid."""

    id: int | str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Failed:
    """A request was not done.

    :ivar code: an error code of the wire; `offline` if it was not sent; `lost` if the connection ended before the
        answer, so that nobody can tell.
    """

    id: int | str
    code: str
    message: str = ""
    temporary: bool = False


Event = (
    Connect
    | Drop
    | Online
    | Offline
    | Over
    | NickTaken
    | RoomJoined
    | RoomLost
    | Truncated
    | Entry
    | Told
    | Replied
    | Failed
)
