"""Access tokens are verified: tens of thousands of distinct ones, two of a hundred bad.

More of them than Edge remembers, so most have their signature checked. Each subject and each
address asks so seldom that no default limit is met.
"""

from collections.abc import Iterator
from typing import ClassVar

from loadtests.answers import Call, bearer, status
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.tokens import Token, in_turns
from loadtests.users import OpenLoopUser

__all__ = ["Floor", "SteadyVerify"]


class SteadyVerify(OpenLoopUser):
    name = "verify"
    pool: ClassVar[list[Token]]
    tokens: Iterator[Token]

    @classmethod
    def prepare(cls, session: Session) -> None:
        cls.pool = session.tokens.pool()

    def on_start(self) -> None:
        super().on_start()
        self.tokens = in_turns(self.pool, self.chance)

    def arrival(self, due_s: float) -> None:
        token = next(self.tokens)
        expected = status(401, token.refused_with) if token.refused_with else status(200)
        law = "verify: good tokens are let in, bad ones are not"
        fields = bearer(token.text)
        self.ask(Call(self.name, "/bearer-protected", expected, law, fields=fields), due_s)
