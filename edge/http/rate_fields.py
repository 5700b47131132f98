"""What an answer says of rate limits (draft-ietf-httpapi-ratelimit-headers-10). Pure."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from math import ceil
from typing import Final

from edge.ratelimit.limiter import Standing
from edge.ratelimit.policy import Policy

Fields = list[tuple[bytes, bytes]]

LEGACY_FIELDS: Final = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

_MICROSECONDS: Final = 1_000_000
_MOST_QUOTAS: Final = 1024


def rate_fields(standings: Collection[Standing], *, legacy: bool) -> Fields:
    """Give `RateLimit-Policy` and `RateLimit`, of the windows that are the caller's own.

    How a window stands that others fill too, such as that of a whole route, is nobody's business.
    Shadows are not shown: they limit nobody.
    """
    if not standings:
        return []
    shown = [
        standing
        for standing in standings
        if standing.policy.is_about_the_caller and not standing.policy.is_shadow
    ]
    if not shown:
        return []
    fields = [
        (b"ratelimit-policy", b", ".join([_policy_item(one.policy, one.limit) for one in shown])),
        (b"ratelimit", b", ".join(map(_standing_item, shown))),
    ]
    return [*fields, *_legacy_fields(shown)] if legacy else fields


def whole_seconds(microseconds: int) -> int:
    """Round up: whoever comes back a moment too early is refused again."""
    return max(ceil(microseconds / _MICROSECONDS), 1)


def _policy_item(policy: Policy, limit: int) -> bytes:
    return _quota_item(policy.name, limit, policy.window_s)


@lru_cache(_MOST_QUOTAS)
def _quota_item(name: str, limit: int, window_s: float) -> bytes:
    return b'"%b";q=%d;w=%d' % (name.encode("ascii"), limit, ceil(window_s))


def _standing_item(standing: Standing) -> bytes:
    verdict = standing.verdict
    reset_s = ceil(verdict.reset_after_us / _MICROSECONDS)
    name = standing.policy.name.encode("ascii")
    return b'"%b";r=%d;t=%d' % (name, verdict.remaining, reset_s)


def _legacy_fields(shown: Sequence[Standing]) -> Fields:
    """Give the fields many clients know, of the policy with the least left."""
    least = min(shown, key=lambda standing: standing.verdict.remaining / standing.limit)
    reset_s = ceil(least.verdict.reset_after_us / _MICROSECONDS)
    return [
        (b"x-ratelimit-limit", b"%d" % least.limit),
        (b"x-ratelimit-remaining", b"%d" % least.verdict.remaining),
        (b"x-ratelimit-reset", b"%d" % reset_s),
    ]
