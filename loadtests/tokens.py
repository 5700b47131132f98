"""Pools of tokens, made before the run: good ones, and bad ones with the code they get."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from loadtests.issuer import Issuer
from loadtests.trust import ISSUER, ROLES, SCOPES

LIFETIME_S: Final = 86_400  # longer than any run
_YIELD_EVERY: Final = 50  # a few milliseconds: locust's heartbeats go on meanwhile


@dataclass(frozen=True)
class Token:
    """A token, what it says, and the code that Edge refuses it with; empty for a good one."""

    text: str
    subject: str
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    refused_with: str = ""


class Mint:
    """Makes the tokens of one process; no other process has the same subjects."""

    def __init__(self, issuer: Issuer, name: str, now_s: int, audience: str = "edge") -> None:
        self._issuer = issuer
        self._name = name
        self._now_s = now_s
        self._audience = audience
        self._numbers = itertools.count()

    def good(self, roles: tuple[str, ...] = ROLES[:1], scopes: tuple[str, ...] = SCOPES) -> Token:
        claims = self._claims(roles, scopes)
        return Token(self._issuer.sign(claims), claims["sub"], roles, scopes)

    def bad(self, kind: str) -> Token:
        """Give a token that is bad in one of the ways of `BAD`."""
        claims = self._claims(ROLES[:1], SCOPES)
        return Token(BAD[kind](self._issuer, claims), claims["sub"], refused_with=kind)

    def pool(self, size: int, bad_share: float, breathe: Callable[[], object]) -> list[Token]:
        """Give a pool, bad tokens evenly among the good ones; `breathe` is called now and then."""
        kinds = itertools.cycle(BAD)
        tokens = []
        for number in range(size):
            is_bad = int((number + 1) * bad_share) > int(number * bad_share)
            tokens.append(self.bad(next(kinds)) if is_bad else self.good())
            if number % _YIELD_EVERY == 0:
                breathe()
        return tokens

    def _claims(self, roles: tuple[str, ...], scopes: tuple[str, ...]) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "iss": ISSUER,
            "sub": f"{self._name}-{number}",
            "aud": self._audience,
            "iat": self._now_s,
            "exp": self._now_s + LIFETIME_S,
            "jti": f"{self._name}-{self._now_s}-{number}",
            "client_id": "loadtest",
            "roles": list(roles),
            "scope": " ".join(scopes),
        }


def in_turns(tokens: list[Token], chance: random.Random) -> Iterator[Token]:
    """Give the tokens over and over, from anywhere on: users of a pool do not go side by side."""
    start = chance.randrange(len(tokens))
    return itertools.cycle([*tokens[start:], *tokens[:start]])


def _expired(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.sign({**claims, "exp": claims["iat"] - 3600})


def _for_others(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.sign({**claims, "aud": "somebody-else"})


def _forged(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Give the claims of one token with the signature of another."""
    head, _, _ = issuer.sign(claims).rpartition(".")
    _, _, signature = issuer.sign({**claims, "sub": "another"}).rpartition(".")
    return f"{head}.{signature}"


def _cut(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.sign(claims).rpartition(".")[0]


# By the code that Edge refuses them with (docs/api.md). None has an unknown key: those are 503 for
# a while, as Edge looks for the key first.
BAD: Final[dict[str, Callable[[Issuer, dict[str, Any]], str]]] = {
    "signature_invalid": _forged,
    "token_expired": _expired,
    "audience_mismatch": _for_others,
    "token_malformed": _cut,
}
