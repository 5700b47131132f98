"""Describing forms for the OpenAPI document."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from edge.http.bodies import FORM
from edge.http.oauth import LONGEST


def form_operation(*required: str, optional: tuple[str, ...] = ()) -> type[Operation]:
    """Describe a form that its handler reads itself, to tell repeated parameters."""
    form = Schema(
        type=OpenAPIType.OBJECT,
        properties={
            name: Schema(type=OpenAPIType.STRING, max_length=LONGEST[name])
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
