"""The seams about who somebody is: what people may be called and what proves them; and where deeds are noted.

Each docstring is the contract, as in `ports`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chatservice.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Deed:
    """What a moderator or the operator did, for whoever must answer for it. No words of any message are in it.

    :ivar ts: milliseconds since 1970; `until` too, 0 for ever.
    :ivar actor, target: user ids; `actor` is `operator` for what was done on the command line.
    :ivar addresses: where the target came from, when it was banned with them.
    :ivar seq: the number of the entry that everybody saw; `ref` of the message that was deleted.
    :ivar name: what the account is called that the operator made or changed.
    :ivar unix: the operating system's user who did it, where somebody on this computer did.
    :ivar outcome: `unknown` where the answer was lost: it may have been done, and then `seq` is 0.
    """

    ts: int
    room: str
    actor: str
    action: str
    seq: int
    target: str = ""
    addresses: tuple[str, ...] = ()
    value: str = ""
    until: int = 0
    ref: int = 0
    reason: str = ""
    name: str = ""
    unix: str = ""
    outcome: str = ""


class Audit(Protocol):
    """Where deeds are noted."""

    def note(self, deed: Deed) -> None:
        """Keep it. MUST NOT raise, and MUST NOT wait."""


class Names(Protocol):
    """What people may be called, and which names cannot be told apart."""

    def clean(self, wish: str) -> str:
        """The nick as it is shown. What is clean stays as it is (MUST).

        :raises Refused: `bad_request` for what nobody can be called.
        """

    def looks(self, nick: str) -> frozenset[str]:
        """How a clean nick looks. Two that share a look can be mistaken for each other; those with the same
        `nick_key` share one (MUST)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token proves.

    :ivar nick: what it is called if it does not say; None for `userN`.
    :ivar rooms: the only rooms it may be in; None for all that anyone may.
    :ivar until_ms: when the connection must have another proof, in milliseconds since 1970; 0 for never.
    """

    user_id: str
    role: str = "guest"
    guest: bool = True
    nick: str | None = None
    rooms: frozenset[str] | None = None
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Invitation:
    """Lets people into one private room.

    :ivar by: the id of the user who invites.
    :ivar uses: how many people it lets in.
    """

    id: str
    room: str
    by: str
    until_ms: int
    uses: int


class Passes(Protocol):
    """Tokens that prove who somebody is."""

    def issue(self, identity: Identity) -> str:
        """A token for that identity, good for 90 days."""

    def read(self, token: str) -> Identity:
        """Whom the token proves.

        :raises Refused: `unauthorized` for one that proves nothing, or nothing any more; `token_expired`.
        """

    def invite(self, invitation: Invitation) -> str:
        """A token for that invitation."""

    def read_invitation(self, token: str) -> Invitation | None:
        """What the token invites to; None if it is not one of ours, or over."""

    def is_guest(self, user_id: str) -> bool:
        """Whether nobody else than a guest can have that id: such a one comes back without a token too."""

    def stranger(self, whence: str) -> str:
        """The id of whoever comes from there without a token: for a day the same, at every node that shares
        the key."""


class SignIn(Protocol):
    """Proof by password."""

    def login(self, name: str, password: str, address: str) -> Promise[tuple[Identity, str]]:
        """Who that is, and a token for later.

        :param address: whence the try comes, as `host` or `host:port`.

        Rejected with `Refused`: `unauthorized`; `rate_limited` after too many tries; `busy`.
        """
