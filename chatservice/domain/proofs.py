"""Proofs of who somebody is that will not hold for ever, and the connections that stand on them."""

from __future__ import annotations

from dataclasses import dataclass

from chatservice.domain.errors import TOKEN_EXPIRED
from chatservice.domain.events import Expiring
from chatservice.domain.ports import Peer

WARNING_MS = 60_000
"""So long before the end a peer is told, that it may fetch another token."""


@dataclass(slots=True)
class _Proof:
    until_ms: int
    is_told: bool = False


class Proofs:
    """Ends each connection when its proof does. No timer for any of them: one look at the next that is due."""

    def __init__(self) -> None:
        self._proofs: dict[Peer, _Proof] = {}
        self._due_ms = 0

    def __len__(self) -> int:
        return len(self._proofs)

    def put(self, peer: Peer, until_ms: int) -> None:
        """`peer` is who it says until then, in milliseconds since 1970; 0 for ever. Earlier proof is void."""
        if until_ms:
            self._proofs[peer] = _Proof(until_ms)
            self._due_ms = min(self._due_ms, until_ms - WARNING_MS)
        else:
            self._proofs.pop(peer, None)

    def remove(self, peer: Peer) -> None:
        """It is gone."""
        self._proofs.pop(peer, None)

    def tick(self, now_ms: int) -> None:
        """To be called about once a second."""
        if not self._proofs or now_ms < self._due_ms:
            return
        for peer, proof in list(self._proofs.items()):
            if proof.until_ms <= now_ms:
                self.remove(peer)
                peer.close(TOKEN_EXPIRED)
            elif proof.until_ms - WARNING_MS <= now_ms and not proof.is_told:
                proof.is_told = True
                peer.deliver(Expiring(proof.until_ms))
        self._due_ms = min(
            (proof.until_ms - (0 if proof.is_told else WARNING_MS) for proof in self._proofs.values()),
            default=2**62,
        )
