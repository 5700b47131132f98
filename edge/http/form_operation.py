"""Describing forms for the OpenAPI document."""

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from edge.accounts.client import GRANT_TYPES
from edge.http.bodies import FORM
from edge.http.oauth import LONGEST

_MEANINGS: Final = {
    "grant_type": "What is exchanged for tokens.",
    "username": "For `password`.",
    "password": "For `password`.",
    "refresh_token": "For `refresh_token`: the one that came last.",
    "scope": "Scopes, separated by one space; all that may be had, without it.",
    "client_id": "The id of the client, unless it stands in HTTP Basic; first-party without one.",
    "client_secret": "The secret of a client that has one, unless it stands in HTTP Basic.",
    "token": "An access token or a refresh token.",
    "token_type_hint": "Taken and not needed: tokens tell of which kind they are.",
}
_CHOICES: Final[dict[str, list[str | None]]] = {"grant_type": [*GRANT_TYPES]}
_EXAMPLES: Final[dict[str, list[str]]] = {"username": ["admin"], "password": ["the password"]}


def form_operation(*required: str, optional: tuple[str, ...] = ()) -> type[Operation]:
    """Describe a form that its handler reads itself, to tell repeated parameters."""
    form = Schema(
        type=OpenAPIType.OBJECT,
        properties={
            name: Schema(
                type=OpenAPIType.STRING,
                max_length=LONGEST[name],
                description=_MEANINGS[name],
                enum=_CHOICES.get(name),
                examples=_EXAMPLES.get(name),
            )
            for name in (*required, *optional)
        },
        required=list(required),
    )
    body = RequestBody(content={FORM: OpenAPIMediaType(form)}, required=True)

    @dataclass
    class FormOperation(Operation):
        def __post_init__(self) -> None:
            self.request_body = body

    return FormOperation
