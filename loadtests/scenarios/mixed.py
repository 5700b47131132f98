"""A day's traffic in small: mostly tokens that are verified, some logins, sessions that go on.

With the shape `day` it goes from midnight to midnight.
"""

from loadtests.floor import Floor
from loadtests.scenarios.forward_auth import Direct
from loadtests.scenarios.login_storm import LoginStorm
from loadtests.scenarios.rbac_mix import RbacMix
from loadtests.scenarios.refresh_rotation import RefreshRotation
from loadtests.scenarios.steady_verify import SteadyVerify

__all__ = ["Asked", "Floor", "Login", "Roles", "Session", "Verify"]


class Verify(SteadyVerify):
    weight = 6


class Roles(RbacMix):
    weight = 3


class Asked(Direct):
    weight = 3


class Session(RefreshRotation):
    weight = 2


class Login(LoginStorm):
    weight = 1
