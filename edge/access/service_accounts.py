"""Access tokens for clients themselves (RFC 6749 section 4.4)."""

from edge.access.rules import ScopePolicy
from edge.access.sign_in import Granted
from edge.accounts.client import Client
from edge.reasons import Reason
from edge.tokens.access_tokens import AccessTokenIssuer, Grant
from edge.tokens.claims import CLIENT_PREFIX


def service_account(client: Client) -> str:
    """Give the subject of a client's service account."""
    return CLIENT_PREFIX + client.id


class ServiceAccounts:
    """Gives access tokens to clients that have authenticated."""

    def __init__(self, issuer: AccessTokenIssuer, scopes: ScopePolicy) -> None:
        self._issuer = issuer
        self._scopes = scopes

    def sign_in(self, client: Client, scope: str | None) -> Granted | Reason:
        """Issue an access token; `scope` as in RFC 6749 section 3.3.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        scopes = self._scopes.grant(scope, client.scopes)
        if scopes is None:
            return Reason.SCOPE_INVALID
        grant = Grant(
            subject=service_account(client),
            session_id=None,
            client_id=client.id,
            roles=client.roles,
            scopes=scopes,
            epoch=client.epoch,
        )
        issued = self._issuer.issue(grant)
        return Granted(
            access_token=issued.token,
            scopes=tuple(sorted(scopes)),
            expires_in_s=issued.expires_in_s,
        )
