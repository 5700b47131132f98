"""Access tokens are verified: tens of thousands of distinct ones, two of a hundred bad.

More of them than Edge remembers, so most have their signature checked. Each subject and each
address asks so seldom that no default limit is met.
"""

from loadtests.answers import Call, bearer, status
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.users import TokenUser

__all__ = ["Floor", "SteadyVerify"]


class SteadyVerify(TokenUser):
    name = "verify"

    @classmethod
    def prepare(cls, session: Session) -> None:
        cls.pool = session.tokens.pool()

    def arrival(self, due_s: float) -> None:
        token = next(self.tokens)
        expected = status(401, token.refused_with) if token.refused_with else status(200)
        law = "verify: good tokens are let in, bad ones are not"
        fields = bearer(token.text)
        self.ask(Call(self.name, "/bearer-protected", expected, law, fields=fields), due_s)
