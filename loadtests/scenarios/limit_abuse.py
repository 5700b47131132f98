"""A few ask far more than they may, on all workers at once; many others keep to the limit.

Meant for the policy `principal`, 600 a minute for each principal. Another limit is named by
`--limit` and `--limit-window-s`.
"""

import time
from http import HTTPStatus
from typing import ClassVar, Final

from loadtests.answers import Answer, Call, Expected, bearer, either, status, told_to_wait
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.tokens import Token
from loadtests.users import OpenLoopUser, TokenUser

__all__ = ["Abuser", "Floor", "Innocent"]

_ABUSERS: Final = 4
_PATH: Final = "/bearer-protected"


class Abuser(OpenLoopUser):
    name = "abuse"
    rate_per_s = 100.0
    keys: ClassVar[list[Token]]

    @classmethod
    def prepare(cls, session: Session) -> None:
        mint = session.tokens.mint("abuser")  # the same in all processes
        cls.keys = [mint.good() for _ in range(_ABUSERS)]

    def arrival(self, due_s: float) -> None:
        token = self.chance.choice(self.keys)
        law = "limit_abuse: who asks too much is let through or told when to come back"
        expected = either(status(200), told_to_wait)
        answer = self.ask(Call(self.name, _PATH, expected, law, fields=bearer(token.text)), due_s)
        if answer.status == HTTPStatus.OK:
            now_s = time.time()  # noqa: TID251  # compared with that of other workers
            took_s = time.perf_counter() - answer.sent_s
            times = self.session.ledger.admitted.setdefault(token.subject, [])
            times.append((now_s - took_s, now_s))
            self.check_fields(answer)

    def check_fields(self, answer: Answer) -> None:
        """The limit is told as it is."""
        options = self.session.options
        told = f"q={options.limit};w={options.limit_window_s:g}"
        fields = answer.fields.get("ratelimit-policy", "")
        wrong = "" if told in fields else f"RateLimit-Policy: {fields or 'missing'}, not {told}"
        self.session.ledger.check("limit_abuse: the fields name the limit", wrong)


class Innocent(TokenUser):
    name = "innocent"

    def arrival(self, due_s: float) -> None:
        token = next(self.tokens)
        expected: Expected = status(200)
        law = "limit_abuse: who keeps to the limit is never refused"
        self.ask(Call(self.name, _PATH, expected, law, fields=bearer(token.text)), due_s)
