"""The part of the composition root that makes the limiter out of settings."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.policy import Policy
from edge.ratelimit.ports import Windows
from edge.ratelimit.shared import SharedWindows
from edge.settings.findings import Finding
from edge.settings.model import RateLimit, RatePolicy, Settings
from edge.settings.rate_policies import faults_of
from edge.telemetry.limits import LimitCounts

# 20 requests a second from an address, which may be a whole office; 10 a second of somebody known.
_DEFAULTS = (
    Policy(name="address", limit=1200, window_s=60, partition=("address",)),
    Policy(name="principal", limit=600, window_s=60, partition=("principal",)),
    # A person mistypes a few times; a guesser of one account from one place needs far more.
    Policy(
        name="login",
        limit=10,
        window_s=300,
        algorithm="log",
        partition=("account", "address"),
        counts="logins",
    ),
    # One place that tries many accounts.
    Policy(
        name="login-address",
        limit=100,
        window_s=300,
        partition=("address",),
        counts="logins",
    ),
    # Many places that try one account; those it is known from are not counted here.
    Policy(
        name="login-account",
        limit=50,
        window_s=3600,
        partition=("account",),
        counts="logins",
    ),
)


def policies_of(settings: RateLimit) -> list[Policy]:
    """Give the policies that are in force; one of your own replaces a default of its name."""
    own = [_policy(policy) for policy in settings.policies]
    names = {policy.name for policy in own}
    defaults = _DEFAULTS if settings.defaults else ()
    return [*(policy for policy in defaults if policy.name not in names), *own]


class LimitWindows(msgspec.Struct, frozen=True):
    """Where windows are kept; `shared` has to be running where there is one."""

    windows: Windows
    shared: SharedWindows | None


def windows_of(
    settings: Settings, changed: Callable[[bool], None], counts: LimitCounts
) -> LimitWindows:
    """Make windows in Redis where there is one, else in memory; connects nowhere yet."""
    if settings.redis.url is None:
        return LimitWindows(MemoryWindows(monotonic_us), None)
    from edge.ratelimit.redis_lanes import open_lanes  # noqa: PLC0415  # an extra, for those who use it

    shared = SharedWindows(
        open_lanes(settings.redis.url.reveal()),
        budget_s=settings.ratelimit.budget_s,
        changed=changed,
        took=counts.round_trip,
        waited=counts.waited,
    )
    return LimitWindows(shared, shared)


def monotonic_us() -> int:
    """Give microseconds that never run backwards."""
    return time.monotonic_ns() // 1000


def faults_of_route(opt: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """Give what is wrong with the policies and the cost that a route brings."""
    policies, cost = opt.get("rate_policies", ()), opt.get("rate_cost", 0)
    if isinstance(policies, str):
        problem = "has rate_policies that are one text"
        yield Finding("error", place, problem, f"write rate_policies=[{policies!r}]")
        return
    for policy in policies:
        if isinstance(policy, Policy):
            yield from _faults_of(policy, place)
    if type(cost) is not int or cost < 0:
        yield Finding("error", place, f"has the rate_cost {cost!r}", "use a number from 0 on")


def _faults_of(policy: Policy, place: str) -> Iterator[Finding]:
    fields = msgspec.structs.asdict(policy)
    fields["shadow"] = fields.pop("is_shadow")
    try:
        read = msgspec.convert(fields, RatePolicy)
    except msgspec.ValidationError as error:
        problem = f"has a rate policy that may not be: {error}"
        yield Finding("error", place, problem, "see docs/rate-limits.md")
    else:
        yield from faults_of(read, f"{place} rate_policies {policy.name}")


def _policy(policy: RatePolicy) -> Policy:
    fields = msgspec.structs.asdict(policy)
    fields["is_shadow"] = fields.pop("shadow")
    return Policy(**fields)
