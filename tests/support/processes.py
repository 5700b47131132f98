"""The processes of a server that is under test."""

import psutil

from tests.support.server import EdgeServer


def workers(server: EdgeServer) -> list[psutil.Process]:
    """Give those that serve, as far as they live."""
    return [one for one in server.processes() if one.pid != server.pid and not _is_helper(one)]


def _is_helper(process: psutil.Process) -> bool:
    return "resource_tracker" in " ".join(process.cmdline())
