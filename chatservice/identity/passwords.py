"""Passwords, kept by argon2id (RFC 9106) and never otherwise. Hashing takes a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from precis_i18n import get_profile

from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise, rejected

T = TypeVar("T")

LEAST, MOST = 8, 256
"""Characters of a password: NIST SP 800-63B asks for 8 at least; more than 256 is somebody who tries us out."""

WAITING = 32
"""Hashes that may wait, of a tenth of a second and 64 MiB each, one at a time: three seconds of logins."""

HASH_MS = 100


class Passwords:
    """Makes and checks hashes, one after the other: each takes 64 MiB on purpose.

    :param call_from_thread: calls a function in the reactor's thread.
    """

    def __init__(
        self, call_from_thread: Callable[[Callable[[], None]], object], hasher: PasswordHasher | None = None
    ) -> None:
        self._call_from_thread = call_from_thread
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="chat-passwords")
        self._waiting = 0
        self._decoy: str | None = None  # what a password is held against where there is no account

    def hash(self, password: str) -> Promise[str]:
        """What to keep of a new password.

        Rejected with `Refused`: `bad_request` if it cannot be one, `busy`.
        """
        try:
            prepared = prepare(password)
        except Refused as refusal:
            return rejected(refusal)
        return self._run(lambda: self._hasher.hash(prepared))

    def check(self, password: str, kept: str | None) -> Promise[bool]:
        """Whether it is the password of which `kept` was kept. Without `kept` it is not, which takes as long: the
        time must not tell whose names have accounts. Rejected with `Refused`: `busy`."""

        def verify() -> bool:
            hashed = kept
            if not hashed:
                hashed = self._decoy = self._decoy or self._hasher.hash("nobody's password")
            try:
                return self._hasher.verify(hashed, prepare(password)) and bool(kept)
            except (VerificationError, InvalidHashError, Refused):
                return False

        return self._run(verify)

    def is_old(self, kept: str) -> bool:
        """Whether it was made with less effort than is asked for now."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Refuse what waits. What runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Callable[[], T]) -> Promise[T]:
        if self._waiting >= WAITING:
            return rejected(Refused(Code.BUSY, retry_ms=WAITING * HASH_MS))
        promise: Promise[T] = Promise()

        def done(future: Future[T]) -> None:
            self._call_from_thread(lambda: self._answer(promise, future))

        try:
            future = self._pool.submit(work)
        except RuntimeError:  # closed
            return rejected(Refused(Code.UNAVAILABLE))
        self._waiting += 1
        future.add_done_callback(done)
        return promise

    def _answer(self, promise: Promise[T], future: Future[T]) -> None:
        self._waiting -= 1
        if future.cancelled():
            promise.reject(Refused(Code.UNAVAILABLE))
            return
        error = future.exception()
        if error is not None:
            promise.reject(error)
        else:
            promise.resolve(future.result())


def prepare(password: str) -> str:
    """The password as it is hashed: PRECIS OpaqueString (RFC 8265 section 4.2), so that it is the same one however
    a keyboard composes it.

    :raises Refused: `bad_request` if it is too short, too long, or holds control characters.
    """
    try:
        prepared = str(get_profile("OpaqueString").enforce(password))
    except UnicodeEncodeError:
        prepared = ""
    if not LEAST <= len(prepared) <= MOST:
        raise Refused(Code.BAD_REQUEST, "bad_password")
    return prepared
