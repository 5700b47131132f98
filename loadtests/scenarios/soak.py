"""The mix for hours at half of what Edge can do: nothing may grow, and nothing may get slower.

The last third of the run is held against the one before. `--watch-pids` names processes of an Edge
on this machine, whose memory and open files are watched too.
"""

from loadtests.scenarios.mixed import Asked, Floor, Login, Roles, Session, Verify

__all__ = ["Asked", "Floor", "Login", "Roles", "Session", "Verify"]
