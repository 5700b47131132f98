"""Roles and scopes: eighty of a hundred requests are allowed, fifteen forbidden, five anonymous.

What each has to be answered is computed here, from the token and the route, and nowhere else.
"""

from typing import ClassVar, Final

from loadtests.answers import Call, bearer, status
from loadtests.floor import Floor
from loadtests.session import Session
from loadtests.token_source import breathe
from loadtests.tokens import Token
from loadtests.trust import ROLES, SCOPES
from loadtests.users import OpenLoopUser

__all__ = ["Floor", "RbacMix"]

# Routes of Edge's examples, and what they need: a role or a scope.
NEEDS: Final = {
    "/user-area": ("role", "user"),
    "/moderator-area": ("role", "moderator"),
    "/admin-area": ("role", "admin"),
    "/secure-data": ("scope", "profile"),
    "/bearer-protected": ("", ""),
}
_MOST_ROLES: Final = 100
_ALLOWED, _FORBIDDEN, _ANONYMOUS = "allowed", "forbidden", "anonymous"
_SHARES: Final = {_ALLOWED: 80, _FORBIDDEN: 15, _ANONYMOUS: 5}


def refused_with(path: str, token: Token | None) -> tuple[int, str]:
    """Give the status and the code that are right; 200 and none where the request is allowed."""
    if token is None:
        return 401, "credentials_missing"
    kind, name = NEEDS[path]
    if kind == "role" and name not in token.roles:
        return 403, "role_missing"
    if kind == "scope" and name not in token.scopes:
        return 403, "insufficient_scope"
    return 200, ""


class RbacMix(OpenLoopUser):
    name = "rbac"
    pool: ClassVar[list[Token]]

    @classmethod
    def prepare(cls, session: Session) -> None:
        """Make tokens with any of our roles and scopes, among up to a hundred unknown ones."""
        mint, size = session.tokens.mint(), max(session.tokens.part // 8, 8)
        cls.pool = []
        for number in range(size):
            strange = [f"team-{one}" for one in range(number % (_MOST_ROLES - len(ROLES)))]
            roles = [role for place, role in enumerate(ROLES) if number >> place & 1]
            scopes = SCOPES if number % 3 else SCOPES[1:]
            cls.pool.append(mint.good((*strange, *roles), scopes))
            breathe()

    def arrival(self, due_s: float) -> None:
        [kind] = self.chance.choices(list(_SHARES), list(_SHARES.values()))
        path, token = self.draw(kind)
        expected = status(*refused_with(path, token))
        fields = bearer(token.text) if token else {}
        law = f"rbac_mix: {kind} requests are answered as the oracle says"
        self.ask(Call(self.name, path, expected, law, fields=fields), due_s)

    def draw(self, kind: str) -> tuple[str, Token | None]:
        """Give a route and a token that are of this kind."""
        while True:
            path = self.chance.choice(list(NEEDS))
            token = None if kind == _ANONYMOUS else self.chance.choice(self.pool)
            found, _ = refused_with(path, token)
            if kind == {200: _ALLOWED, 403: _FORBIDDEN, 401: _ANONYMOUS}[found]:
                return path, token
