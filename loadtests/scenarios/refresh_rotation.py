"""Sessions live on refresh tokens; some are refreshed twice at once, some by a thief.

A closed loop: a session refreshes when it has the answer to its last refresh, and not before.
"""

from http import HTTPStatus
from typing import Any, ClassVar, Final

import gevent
from locust import between, task

from loadtests.accounts import Account, ensure_accounts
from loadtests.answers import Answer, Call, Expected, bearer, either, status, told_to_wait
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.users import EdgeUser

__all__ = ["Floor", "RefreshRotation"]

# EDGE_REVOCATION_BOUND_S, and some more for the way.
_DEAD_WITHIN_S: Final = 1.5
_LAW: Final = "refresh_rotation: "


class RefreshRotation(EdgeUser):
    """One session after the other; a replay ends it."""

    wait_time = between(0.05, 0.15)
    accounts: ClassVar[list[Account]]
    access_token: str
    refresh_token: str

    @classmethod
    def prepare(cls, session: Session) -> None:
        cls.accounts = ensure_accounts(session.url, session.options.accounts)

    def on_start(self) -> None:
        super().on_start()
        self.log_in()

    @task
    def live(self) -> None:
        if self.session.is_draining:
            return
        if not self.refresh_token:
            self.log_in()
        elif self.chance.random() >= self.session.options.mischief:
            self.keep(self.refresh(self.refresh_token, status(200), "a refresh token is exchanged"))
        else:
            self.chance.choice([self.refresh_twice, self.replay])()

    def refresh_twice(self) -> None:
        """Two tabs at once, or an answer that was lost."""
        law = "of two at once one wins, and both get its token"
        both = [gevent.spawn(self.refresh, self.refresh_token, status(200), law) for _ in range(2)]
        gevent.joinall(both)
        first, second = (one.get() for one in both)
        self.keep(first if first.status == HTTPStatus.OK else second)
        if first.status == second.status == HTTPStatus.OK:
            self.must(law, is_so=_token_of(first) == _token_of(second))

    def replay(self) -> None:
        """Somebody has a token of two generations ago."""
        law = "a token that comes back later ends its session"
        old = self.refresh_token
        for _ in range(2):
            if not self.keep(self.refresh(self.refresh_token, status(200), law)):
                return
        self.refresh(old, status(401, "refresh_token_reused"), law)
        self.refresh(self.refresh_token, status(401, "session_revoked"), law)
        gevent.sleep(_DEAD_WITHIN_S)
        fields = bearer(self.access_token)
        dead = status(401, "token_revoked")
        self.ask(Call("verify ended", "/bearer-protected", dead, _LAW + law, fields=fields))
        self.refresh_token = ""

    def log_in(self) -> None:
        account = self.chance.choice(self.accounts)
        body = {"username": account.username, "password": account.password}
        law = f"{_LAW}who has the password gets in, or is told when to come back"
        expected = either(status(200), told_to_wait)
        self.refresh_token = ""
        self.keep(self.ask(Call("new session", "/login", expected, law, method="POST", body=body)))

    def refresh(self, token: str, expected: Expected, law: str) -> Answer:
        body = {"refresh_token": token}
        call = Call("refresh", "/refresh-token", expected, _LAW + law, method="POST", body=body)
        return self.ask(call)

    def keep(self, answer: Answer) -> bool:
        """Go on with what was answered; where that is nothing, with a new session.

        Edge may have exchanged the token and its answer was lost. Whoever waited for that longer
        than EDGE_TOKENS_REFRESH_OVERLAP_S would be taken for a thief.
        """
        document: dict[str, Any] = answer.document
        self.access_token = str(document.get("access_token", ""))
        self.refresh_token = str(document.get("refresh_token", ""))
        return bool(self.refresh_token)

    def must(self, law: str, *, is_so: bool) -> None:
        self.session.ledger.check(_LAW + law, "" if is_so else "two different tokens")


def _token_of(answer: Answer) -> str:
    return str(answer.document.get("refresh_token", ""))
