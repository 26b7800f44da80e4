"""Who has an account: its name is kept for it, whether it is here or not."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatservice.domain.names import nick_key
from chatservice.domain.roster import NOBODY
from chatservice.domain.trust import Names

RESERVED = ("admin", "administrator", "moderator", "owner", "root", "server", "service", "support", "system")
"""Names by which strangers would be believed: only accounts and those who keep order can have them."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a password.

    :ivar name: a clean nick; no other account has one that looks like it.
    :ivar role: what it may everywhere: `member`, `mod` or `owner`.
    :ivar password: as argon2 keeps it.
    :ivar generation: raised to end all its sessions; tokens of an older one prove nothing.
    :ivar created_ms: milliseconds since 1970.
    :ivar version: raised by each change, where several nodes tell each other and what is told may come late.
    """

    id: str
    name: str
    role: str = "member"
    password: str = field(default="", repr=False)
    generation: int = 1
    created_ms: int = 0
    version: int = field(default=0, compare=False)


class Registry:
    """All accounts, in memory: a name must be judged in the middle of a turn. The log fills it; see `LogSink`."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._by_id: dict[str, Account] = {}
        self._by_key: dict[str, Account] = {}
        self._owners: set[str] = set()
        self._by_look: dict[str, str] = {look: NOBODY for word in RESERVED for look in names.looks(word)}

    def put(self, account: Account) -> Account | None:
        """There is such an account now; answers how it was before. Its name never changes."""
        before = self._by_id.get(account.id)
        self._by_id[account.id] = self._by_key[nick_key(account.name)] = account
        (self._owners.add if account.role == "owner" else self._owners.discard)(account.id)
        if before is None:
            for look in self.names.looks(account.name):
                self._by_look[look] = account.id
        return before

    def find(self, user_id: str) -> Account | None:
        """The account with that id."""
        return self._by_id.get(user_id)

    def named(self, name: str) -> Account | None:
        """The account of that name, in whatever case or width."""
        return self._by_key.get(nick_key(" ".join(name.split())))

    def whose(self, look: str) -> str | None:
        """The id of the user that look is kept for, `NOBODY` for a reserved word, None if it is free."""
        return self._by_look.get(look)

    @property
    def has_owner(self) -> bool:
        """Whether any account is an owner's."""
        return bool(self._owners)

    def all(self) -> tuple[Account, ...]:
        """Every account, in the order of its name."""
        return tuple(sorted(self._by_id.values(), key=lambda account: nick_key(account.name)))
