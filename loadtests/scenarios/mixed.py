"""A day's traffic in small: mostly tokens that are verified, some logins, sessions that go on.

With the shape `day` it goes from midnight to midnight.
"""

from loadtests.floor import Floor

# By module: locust would take each class that it finds here for one to start.
from loadtests.scenarios import (
    forward_auth,
    login_storm,
    rbac_mix,
    refresh_rotation,
    steady_verify,
)

__all__ = ["Asked", "Floor", "Login", "Roles", "Session", "Verify"]


class Verify(steady_verify.SteadyVerify):
    weight = 6


class Roles(rbac_mix.RbacMix):
    weight = 3


class Asked(forward_auth.Direct):
    weight = 3


class Session(refresh_rotation.RefreshRotation):
    weight = 2


class Login(login_storm.LoginStorm):
    weight = 1
