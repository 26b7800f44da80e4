"""Passwords: what they may be, how they are kept, how often one may try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from argon2 import PasswordHasher
from fakes import FakeClock, Ids, Pump
from stores import Store

from chatservice.domain.accounts import Registry
from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise, rejected, resolved
from chatservice.identity.names import PrecisNames
from chatservice.identity.passes import SignedPasses
from chatservice.identity.passwords import WAITING, Passwords, prepare
from chatservice.identity.sign_in import PasswordSignIn
from chatservice.identity.tries import KEPT, LOOKED_AT, PER_ACCOUNT, PER_ADDRESS, Tries
from chatservice.identity.users import Users

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def pump() -> Pump:
    return Pump()


@pytest.fixture
def passwords(pump: Pump) -> Iterator[Passwords]:
    passwords = Passwords(pump, QUICK)
    yield passwords
    passwords.close()


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 257, "tab\there it is", "bell\x07bell", "\ud800 half", "é" * 7]
)
def test_what_can_be_no_password(password: str, passwords: Passwords, pump: Pump) -> None:
    """Fewer than 8 characters, more than 256, and control characters."""
    with pytest.raises(Refused) as refused:
        pump.until(passwords.hash(password))
    assert refused.value.about == "bad_password"


def test_hash_and_check(passwords: Passwords, pump: Pump) -> None:
    """The password is right and nothing else is; every hash is salted; how it was composed does not matter."""
    one, other = (pump.until(passwords.hash("café au lait")) for _ in range(2))
    assert one.startswith("$argon2id$") and one != other and "caf" not in one
    assert pump.until(passwords.check("cafe\u0301 au lait", one))
    assert pump.until(passwords.check("café\u3000au lait", one)), "another space is the same to who types"
    for wrong in ("Café au lait", "café au lai", "", "\x00", "x" * 10_000):
        assert not pump.until(passwords.check(wrong, one))
    assert prepare("𝕬" * 8) == "𝕬" * 8, "nothing else is folded"


@pytest.mark.parametrize("kept", [None, "", "plain", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"])
def test_no_account_no_entry(kept: str | None, passwords: Passwords, pump: Pump) -> None:
    """Where nothing or nonsense is kept no password is right, also not the decoy's."""
    assert not pump.until(passwords.check("nobody's password", kept))


def test_the_queue_is_bounded(passwords: Passwords, pump: Pump) -> None:
    """Above the bound the answer is busy, at once; then there is room again."""
    promises = [passwords.hash("long enough") for _ in range(WAITING + 3)]
    refused = [promise.error for promise in promises[WAITING:]]
    assert all(isinstance(error, Refused) and error.code is Code.BUSY and error.retry_ms for error in refused)
    for promise in promises[:WAITING]:
        pump.until(promise)
    assert pump.until(passwords.hash("long enough"))


def test_closed(passwords: Passwords, pump: Pump) -> None:
    """After the end everything is answered, with a refusal."""
    promises = [passwords.hash("long enough") for _ in range(5)]
    passwords.close()
    promises.append(passwords.hash("long enough"))
    for promise in promises:
        try:
            pump.until(promise)
        except Refused as refusal:
            assert refusal.code is Code.UNAVAILABLE
    assert isinstance(promises[-1].error, Refused)


class Desk:
    """Accounts in memory, and signing in to them."""

    def __init__(self, passwords: Passwords, pump: Pump, store: Store) -> None:
        self.clock, self.pump = FakeClock(), pump
        self.registry = Registry(PrecisNames())
        self.passes = SignedPasses(b"k" * 32, self.clock, registry=self.registry)
        store.start(self)
        self.log, self.store = store.engine, store
        self.sign_in = PasswordSignIn(self.registry, self.log, passwords, self.passes, Tries(self.clock))
        self.users = Users(self.registry, self.log, passwords, lambda: "u_" + ids.token(), self.clock)
        ids = Ids()

    def registered(self, account: object) -> None:
        self.registry.put(account)  # type: ignore[arg-type]

    def committed(self, entry: object) -> None: ...

    def pruned(self, room: str, first: int) -> None: ...

    def get(self, promise: Promise[object]) -> object:
        while not promise.done:
            self.store.pump.run()
            try:
                self.pump.run_one(0.01)
            except Exception:
                continue
        return promise.result()

    def code(self, promise: Promise[object]) -> str:
        try:
            self.get(promise)
        except Refused as refusal:
            return refusal.about
        return "ok"


@pytest.fixture
def desk(passwords: Passwords, pump: Pump, tmp_path: object) -> Desk:
    desk = Desk(passwords, pump, Store("memory", tmp_path))  # type: ignore[arg-type]
    assert desk.code(desk.users.run({"command": "user add", "name": "Ann", "password": "correct horse"})) == "ok"
    return desk


def test_login(desk: Desk) -> None:
    """Name and password prove the account, in whatever case; its token does so later; anything else does not."""
    identity, token = desk.get(desk.sign_in.login(" ann ", "correct horse", "192.0.2.1:1"))  # type: ignore[misc]
    assert (identity.user_id, identity.role, identity.guest, identity.nick) == ("u_id1", "member", False, "Ann")
    assert desk.passes.read(token) == identity
    for name, password in (("Ann", "wrong horse"), ("Bob", "correct horse"), ("", ""), ("x" * 10**5, "y" * 10**5)):
        assert desk.code(desk.sign_in.login(name, password, "192.0.2.2:1")) == "bad_login"


def test_tokens_end_with_the_generation(desk: Desk) -> None:
    """After a new password, or signing out everywhere, earlier tokens prove nothing; the new one does."""
    _, token = desk.get(desk.sign_in.login("ann", "correct horse", "x"))  # type: ignore[misc]
    assert desk.code(desk.sign_in.change("u_id1", "wrong", "another horse", "x")) == "bad_login"
    assert desk.code(desk.sign_in.change("u_id1", "correct horse", "short", "x")) == "bad_password"
    _, newer = desk.get(desk.sign_in.change("u_id1", "correct horse", "another horse", "x"))  # type: ignore[misc]
    with pytest.raises(Refused) as refused:
        desk.passes.read(token)
    assert (refused.value.code, refused.value.about) == (Code.UNAUTHORIZED, "sessions_ended")
    assert desk.passes.read(newer).user_id == "u_id1"
    assert desk.code(desk.sign_in.login("ann", "correct horse", "x")) == "bad_login"
    desk.get(desk.sign_in.end_sessions("u_id1"))  # type: ignore[arg-type]
    with pytest.raises(Refused):
        desk.passes.read(newer)
    desk.clock.now += 91 * 86400
    with pytest.raises(Refused) as refused:
        desk.passes.read(newer)
    assert refused.value.code is Code.TOKEN_EXPIRED


def test_tries_are_limited_per_account(desk: Desk) -> None:
    """After ten wrong tries the right password waits too, and is told how long; good tries cost nothing."""
    for _ in range(3 * PER_ACCOUNT.burst):
        assert desk.code(desk.sign_in.login("ann", "correct horse", "x")) == "ok"
    for n in range(PER_ACCOUNT.burst):
        assert desk.code(desk.sign_in.login(f"{' ' * (n % 3)}ANN ", "wrong", "x")) == "bad_login"
    with pytest.raises(Refused) as refused:
        desk.get(desk.sign_in.login("ann", "correct horse", "x"))
    assert (refused.value.code, refused.value.about) == (Code.RATE_LIMITED, "too_many_tries")
    assert 0 < refused.value.retry_ms <= 30_001
    desk.clock.now += refused.value.retry_ms / 1000
    assert desk.code(desk.sign_in.login("ann", "correct horse", "x")) == "ok"


def test_tries_that_cannot_be_counted(desk: Desk, passwords: Passwords) -> None:
    """While the count of all nodes is away nobody looks at a password, so that is no try: when it is back the
    right one is let in, however often it was tried meanwhile."""
    away = Refused(Code.UNAVAILABLE)

    class Meter:
        def take(self, what: str, rate: object) -> Promise[int]:
            return resolved(0) if away is None else rejected(away)

        def put_back(self, what: str, rate: object) -> None: ...

    sign_in = PasswordSignIn(desk.registry, desk.log, passwords, desk.passes, Tries(desk.clock), Meter())
    for _ in range(3 * PER_ADDRESS.burst):
        assert desk.code(sign_in.login("ann", "correct horse", "192.0.2.1:1")) == "unavailable"
    away = None  # type: ignore[assignment]
    assert desk.code(sign_in.login("ann", "correct horse", "192.0.2.1:1")) == "ok"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1:1", "192.0.2.1:2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("[2001:db8::1]:5", "[2001:db8::ffff:1]:5", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_tries_are_limited_per_address(one: str, other: str, same: bool) -> None:
    """One address, or the /64 of one household, has twenty tries for all names together."""
    tries = Tries(FakeClock())
    for n in range(PER_ADDRESS.burst):
        tries.take(f"name{n}", one)
    if same:
        with pytest.raises(Refused):
            tries.take("another", other)
    else:
        tries.take("another", other)


def test_this_computer_is_a_proxy() -> None:
    """What comes from this computer has no limit of its own: behind a proxy that would be everybody's."""
    tries = Tries(FakeClock())
    for n in range(1000):
        tries.take(f"name{n}", ("127.0.0.1:9", "[::1]:9", "local")[n % 3])


def test_tries_are_forgotten() -> None:
    """What is remembered of tries is bounded, however many names somebody invents."""
    clock = FakeClock()
    tries = Tries(clock)
    for _ in range(3):
        for n in range(KEPT + 500):
            clock.now += 0.01
            tries.take(f"name{clock.now}", f"[2001:db8:0:{n:x}::1]:5")
    assert all(KEPT - LOOKED_AT <= len(table) <= KEPT for table in (tries.names, tries.addresses))


def test_a_flood_of_names_makes_nobody_forget() -> None:
    """Who was tried too often stays so, however many names are invented meanwhile; there is room again later."""
    clock = FakeClock()
    tries = Tries(clock)
    for _ in range(PER_ACCOUNT.burst):
        tries.take("ann", "127.0.0.1")
    for n in range(2 * KEPT):
        with suppress(Refused):
            tries.take(f"name{n}", "127.0.0.1")
    with pytest.raises(Refused) as refused:
        tries.take("ann", "127.0.0.1")
    assert refused.value.retry_ms > 1000 and len(tries.names) == KEPT
    clock.now += 31
    tries.take("somebody new", "127.0.0.1")


def test_a_guesser_keeps_nobody_out() -> None:
    """Tries that are refused for their address cost the name nothing."""
    tries = Tries(FakeClock())
    for n in range(PER_ADDRESS.burst):
        tries.take(f"name{n}", "192.0.2.1:1")
    for _ in range(2 * PER_ACCOUNT.burst):
        with pytest.raises(Refused):
            tries.take("ann", "192.0.2.1:1")
    for _ in range(PER_ACCOUNT.burst):
        tries.take("ann", "192.0.2.2:1")


def test_what_nobody_looked_at_costs_nothing(desk: Desk) -> None:
    """A login that is refused because too many wait is no try."""
    promises = [desk.sign_in.login(f"name{n}", "wrong horse", "x") for n in range(WAITING)]
    for _ in range(2 * PER_ACCOUNT.burst):
        assert desk.code(desk.sign_in.login("ann", "correct horse", "x")) == "busy"
    for promise in promises:
        assert desk.code(promise) == "bad_login"
    assert desk.code(desk.sign_in.login("ann", "correct horse", "x")) == "ok"


def test_the_operators_password_stays(desk: Desk, passwords: Passwords) -> None:
    """A change with the old password that was under way when the operator gave a new one changes nothing."""
    desk.clock.now += 1
    user = desk.sign_in.change("u_id1", "correct horse", "thief's own horse", "x")
    operator = desk.users.run({"command": "user passwd", "name": "ann", "password": "another horse"})
    # The hashes are made in the order check, operator's, new one: the operator's is kept first.
    assert desk.code(operator) == "ok"  # type: ignore[arg-type]
    assert desk.code(user) in ("bad_login", "sessions_ended")  # type: ignore[arg-type]
    assert desk.code(desk.sign_in.login("ann", "thief's own horse", "x")) == "bad_login"
    assert desk.code(desk.sign_in.login("ann", "another horse", "x")) == "ok"


class Aging(Passwords):
    """To which every hash is of old parameters."""

    def is_old(self, kept: str) -> bool:
        return True


def test_a_rehash_overwrites_nothing(desk: Desk, pump: Pump) -> None:
    """Nor does a login whose password is to be kept anew; two of them at once both come in."""
    passwords = Aging(pump, QUICK)
    sign_in = PasswordSignIn(desk.registry, desk.log, passwords, desk.passes, Tries(desk.clock))
    users = Users(desk.registry, desk.log, passwords, lambda: "u_x", desk.clock)
    try:
        both = [sign_in.login("ann", "correct horse", "x") for _ in range(2)]
        assert [desk.code(promise) for promise in both] == ["ok", "ok"]  # type: ignore[arg-type]
        login = sign_in.login("ann", "correct horse", "x")
        operator = users.run({"command": "user passwd", "name": "ann", "password": "another horse"})
        assert desk.code(operator) == "ok"  # type: ignore[arg-type]
        assert desk.code(login) == "sessions_ended"  # type: ignore[arg-type]
        assert desk.code(sign_in.login("ann", "correct horse", "x")) == "bad_login"
        assert desk.code(sign_in.login("ann", "another horse", "x")) == "ok"
    finally:
        passwords.close()


def test_the_operators_commands(desk: Desk) -> None:
    """Add, give another password, give a role, list; every refusal has its reason."""
    run = desk.users.run
    add = {"command": "user add", "password": "correct horse"}
    assert desk.code(run({**add, "name": "admin", "role": "owner"})) == "ok", (
        "the operator may give reserved words"
    )
    refused = [
        ({**add, "name": "ANN"}, "nick_taken"),
        ({**add, "name": "Аnn"}, "nick_scripts"),
        ({**add, "name": "adm1n"}, "nick_taken"),
        ({**add, "name": "Bob", "role": "king"}, "bad_role"),
        ({**add, "name": "Bob", "password": "short"}, "bad_password"),
        ({**add, "name": 7}, "bad_field"),
        ({"command": "user add", "name": "Bob"}, "bad_field"),
        ({"command": "user role", "name": "Bob", "role": "mod"}, "no_account"),
        ({"command": "user role", "name": "Ann", "role": "guest"}, "bad_role"),
        ({"command": "user passwd", "name": "Eve", "password": "correct horse"}, "no_account"),
        ({"command": "fly"}, "unknown_type"),
        ({}, "unknown_type"),
    ]
    assert [(fields, desk.code(run(fields))) for fields, _ in refused] == refused
    desk.get(run({"command": "user role", "name": "ann", "role": "mod"}))
    desk.get(run({"command": "user passwd", "name": "ann", "password": "another horse"}))
    assert desk.code(desk.sign_in.login("ann", "another horse", "x")) == "ok"
    listed = desk.get(run({"command": "user list"}))
    assert [(user["name"], user["role"]) for user in listed["users"]] == [("admin", "owner"), ("Ann", "mod")]  # type: ignore[index]
    assert "argon2" not in str(listed)


def test_two_likes_at_once(desk: Desk) -> None:
    """Of two look-alikes that are added in one moment one is."""
    add = {"command": "user add", "password": "correct horse"}
    promises = [desk.users.run({**add, "name": name}) for name in ("Bill", "BiII")]
    assert sorted(desk.code(promise) for promise in promises) == ["nick_taken", "ok"]  # type: ignore[arg-type]
