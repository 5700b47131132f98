"""Everybody logs in at once, ten times as many as before, while tokens are verified as always.

A login costs Edge a hash, which takes long on purpose. What is too much has to be told when to come
back, and verifying must not notice.
"""

from typing import ClassVar

from loadtests.accounts import Account, ensure_accounts
from loadtests.answers import Call, either, status, told_to_wait
from loadtests.floor import Floor
from loadtests.scenarios import steady_verify
from loadtests.session import Session
from loadtests.users import OpenLoopUser

__all__ = ["Floor", "LoginStorm", "VerifyBeside"]


class VerifyBeside(steady_verify.SteadyVerify):
    fixed_count = 4  # the shape goes for the logins alone


class LoginStorm(OpenLoopUser):
    name = "login"
    rate_per_s = 1.0
    accounts: ClassVar[list[Account]]

    @classmethod
    def prepare(cls, session: Session) -> None:
        cls.accounts = ensure_accounts(session.url, session.options.accounts)

    def arrival(self, due_s: float) -> None:
        account = self.chance.choice(self.accounts)
        body = {"username": account.username, "password": account.password}
        law = "login: who has the password gets in, or is told when to come back"
        expected = either(status(200), told_to_wait)
        self.ask(Call(self.name, "/login", expected, law, method="POST", body=body), due_s)
