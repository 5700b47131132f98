"""The answers to OPTIONS, which Litestar makes by itself."""

from litestar import Litestar
from litestar.routes import HTTPRoute


def name_all_methods(app: Litestar) -> None:
    """Let each answer to OPTIONS name all methods of its path.

    Litestar makes it when a path gets its first handler, and keeps it when the path gets others.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            made = route.create_options_handler(route.path)
            handler, _ = route.route_handler_map["OPTIONS"]
            if handler.handler_name == made.handler_name and not handler.include_in_schema:
                handler._fn = made.fn  # noqa: SLF001  # nothing else is given to mend it with
