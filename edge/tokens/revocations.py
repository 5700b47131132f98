"""What is revoked, as one process knows it: looked up for each request, without waiting."""

import heapq
from collections.abc import Iterable
from typing import Literal

import msgspec

from edge.tokens.claims import VerifiedToken, revocation_name

Kind = Literal["session", "user", "token", "key"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the change list: tokens that match it are dead, until it is of no more use.

    `issuer` is empty for Edge's own tokens; a `user` row kills tokens with a lower epoch than its
    own; a `key` row says that a signing key was changed by hand.
    """

    kind: Kind
    issuer: str
    subject: str
    epoch: int | None
    expires_at_ms: int


class Changes(msgspec.Struct, frozen=True):
    """What was read of the change list; `read_at_ms` is the database's clock before reading."""

    rows: tuple[Change, ...]
    read_at_ms: int


class RevocationSnapshot:
    """The revocations that matter now. Changes may come in any order, and more than once."""

    def __init__(self) -> None:
        self._dead_sessions: dict[str, int] = {}  # name to expiry
        self._dead_tokens: dict[str, int] = {}
        self._epochs: dict[str, tuple[int, int]] = {}  # name to lowest living epoch and expiry
        self._expiring: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._dead_sessions) + len(self._dead_tokens) + len(self._epochs)

    def is_revoked(self, token: VerifiedToken) -> bool:
        if token.session_name in self._dead_sessions or token.token_name in self._dead_tokens:
            return True
        lowest = self._epochs.get(token.subject_name)
        return lowest is not None and token.epoch < lowest[0]

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            name = revocation_name(change.kind, change.issuer, change.subject)
            expiry = change.expires_at_ms
            if change.epoch is not None:
                epoch, known_expiry = self._epochs.get(name, (-1, -1))
                if change.epoch <= epoch and expiry <= known_expiry:
                    continue
                self._epochs[name] = max(epoch, change.epoch), max(known_expiry, expiry)
            else:
                dead = self._dead_sessions if change.kind == "session" else self._dead_tokens
                if dead.get(name, -1) >= expiry:
                    continue
                dead[name] = expiry
            heapq.heappush(self._expiring, (expiry, name))

    def prune(self, now_ms: int) -> None:
        """Drop what can speak of no living token any more."""
        while self._expiring and self._expiring[0][0] <= now_ms:
            _, name = heapq.heappop(self._expiring)
            for dead in (self._dead_sessions, self._dead_tokens):
                if dead.get(name, now_ms + 1) <= now_ms:
                    del dead[name]
            if name in self._epochs and self._epochs[name][1] <= now_ms:
                del self._epochs[name]
