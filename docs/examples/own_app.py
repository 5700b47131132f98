"""An app of one's own that Edge protects.

Run it with: granian --interface asgi docs.examples.own_app:app
"""

import os

from litestar import Litestar, get
from litestar.di import NamedDependency

from edge import PUBLIC, EdgePlugin, Principal, accepts, load_settings, requires_role


@get("/reports")
async def reports(principal: NamedDependency[Principal]) -> dict[str, str]:
    """A route that says nothing takes bearer tokens; the principal is who it belongs to."""
    return {"for": str(principal.user_id)}


@get("/reports/all", guards=[requires_role("admin")])
async def all_reports() -> list[str]:
    """Only for the role admin, and for roles that include it."""
    return ["first", "second"]


@get("/export", opt=accepts("basic", "bearer"))
async def export() -> str:
    """For scripts: HTTP Basic will do, too."""
    return "name;amount"


@get("/prices", opt=dict(PUBLIC))
async def prices() -> dict[str, int]:
    """Open to everybody, because it says so."""
    return {"apple": 3}


app = Litestar(
    [reports, all_reports, export, prices],
    plugins=[EdgePlugin(load_settings(os.environ))],
)
