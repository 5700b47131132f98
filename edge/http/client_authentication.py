"""Which OAuth client a request is from (RFC 6749 section 2.3)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

import msgspec

from edge.access.credentials import BasicCredentials, parse_authorization
from edge.access.decision import Malformed
from edge.access.service_accounts import service_account
from edge.accounts.client import Client
from edge.accounts.clients import ClientRefused, Clients
from edge.http.bodies import EdgeRequest
from edge.http.events import request_event
from edge.http.oauth import OAuthError, OAuthRefusedError
from edge.reasons import Reason
from edge.telemetry.events import ClientAuthenticationFailed, Record

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")

_FAILED: Final = OAuthError("invalid_client", "The client is unknown, or did not prove itself")
_TWO_METHODS: Final = OAuthError("invalid_request", "The client authenticates in two ways")
_MALFORMED: Final = OAuthError("invalid_request", "The Authorization field is malformed")


class ClientCredentials(msgspec.Struct, frozen=True):
    """What a client says it is; not yet checked."""

    client_id: str | None
    secret: str | None

    def __repr__(self) -> str:
        return "ClientCredentials(********)"


class ClientAuthentication:
    """Finds out which client a request is from; failures are recorded."""

    def __init__(self, clients: Clients, record: Record) -> None:
        self._clients = clients
        self._record = record

    async def identify(self, request: EdgeRequest, form: Mapping[str, str]) -> Client:
        """Give the client.

        Raises:
            OAuthRefusedError: the client is not who it says, or authenticates in two ways.
            UnavailableError: the store is away.
        """
        values = [value for name, value in request.scope["headers"] if name == b"authorization"]
        credentials = read_client_credentials(values, form)
        if isinstance(credentials, OAuthError):
            raise OAuthRefusedError(credentials)
        client = await self._clients.authenticate(credentials.client_id, credentials.secret)
        if isinstance(client, ClientRefused):
            self._tell(request, client)
            raise OAuthRefusedError(_FAILED)
        return client

    async def identify_confidential(self, request: EdgeRequest, form: Mapping[str, str]) -> Client:
        """Give the client, which proved itself with a secret; raises as `identify` does."""
        client = await self.identify(request, form)
        if not client.is_confidential:
            self._tell(request, ClientRefused(Reason.CLIENT_IS_PUBLIC, client))
            raise OAuthRefusedError(_FAILED)
        return client

    def _tell(self, request: EdgeRequest, refused: ClientRefused) -> None:
        about = service_account(refused.client) if refused.client else None
        self._record(
            request_event(
                ClientAuthenticationFailed, request.scope, principal=about, reason=refused.reason
            )
        )


def read_client_credentials(
    authorization: Sequence[bytes], form: Mapping[str, str]
) -> ClientCredentials | OAuthError:
    """Read them from the values of all `Authorization` fields or from the form, never from both.

    `client_id` may stand in the form beside the field, if it is the same.
    """
    match parse_authorization(authorization):
        case None:
            return ClientCredentials(form.get("client_id"), form.get("client_secret"))
        case BasicCredentials() as basic:
            return _read_basic(basic, form)
        case Malformed(reason) if reason is not Reason.SCHEME_UNSUPPORTED:
            return _MALFORMED
        case _:
            return _FAILED


def _read_basic(basic: BasicCredentials, form: Mapping[str, str]) -> ClientCredentials | OAuthError:
    client_id, secret = _form_decode(basic.username), _form_decode(basic.password)
    if client_id is None or secret is None:
        return _FAILED
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        return _TWO_METHODS
    # An empty secret is none (section 2.3.1), as a public client has it.
    return ClientCredentials(client_id, secret or None)


def _form_decode(text: str) -> str | None:
    """Undo the encoding of section 2.3.1 (Appendix B); None for what it cannot have made."""
    if _BAD_ESCAPE.search(text):
        return None
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return None
