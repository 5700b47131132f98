"""What may not be in `[[ratelimit.policies]]`, beyond types and bounds."""

import re
from collections.abc import Iterator
from typing import Final

from edge.ratelimit.partition import PARTS
from edge.settings.findings import Finding
from edge.settings.model import RatePolicy, Settings
from edge.settings.path_patterns import faults_of_patterns

_PARTS_OF_LOGINS: Final = frozenset({"address", "account", "global"})
_FIELD_NAME: Final = re.compile(r"header:[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_METHOD: Final = re.compile(r"[A-Z]{1,20}")
# Each is remembered: 10 bytes in Redis, and a policy has as many windows as there are callers.
_LONGEST_LOG: Final = 10_000


def rate_policies(settings: Settings) -> Iterator[Finding]:
    """Give what is wrong, each with its place; a policy that never applies is wrong, too."""
    names: set[str] = set()
    for number, policy in enumerate(settings.ratelimit.policies):
        place = f"EDGE_RATELIMIT_POLICIES[{number}]"
        if policy.name in names:
            problem = f"is {policy.name!r} a second time"
            yield Finding("error", f"{place}.name", problem, "use another one")
        names.add(policy.name)
        yield from faults_of(policy, place)


def faults_of(policy: RatePolicy, place: str) -> Iterator[Finding]:
    """Give what is wrong with one policy by itself."""
    for key, problem, fix in (*_partition(policy), *_amounts(policy), *_cover(policy)):
        yield Finding("error", f"{place}.{key}", problem, fix)


_Found = Iterator[tuple[str, str, str]]


def _partition(policy: RatePolicy) -> _Found:
    is_about_logins = policy.counts == "logins"
    known = _PARTS_OF_LOGINS if is_about_logins else PARTS - {"account"}
    for part in policy.partition:
        if part == "account" and not is_about_logins:
            problem = "has account, which only attempts to log in are about"
            yield "partition", problem, 'use principal, or set counts = "logins"'
        elif part not in known and (is_about_logins or not _FIELD_NAME.fullmatch(part)):
            fields = "" if is_about_logins else ", or header: and a name in lower case"
            yield "partition", f"has {part!r}", f"use {', '.join(sorted(known))}{fields}"
    if len(set(policy.partition)) != len(policy.partition):
        yield "partition", "has a part twice", "name each once"
    if "global" in policy.partition and len(policy.partition) > 1:
        yield "partition", "has global beside others, which count apart", "leave global out"


def _amounts(policy: RatePolicy) -> _Found:
    limits = [policy.limit, *policy.role_limits.values()]
    if policy.algorithm == "log" and max(limits) > _LONGEST_LOG:
        problem = f"or one of role_limits is more than {_LONGEST_LOG:,}, too much for a log"
        yield "limit", problem, 'set algorithm = "counter"'
    if policy.cost > min(limits):
        yield "cost", "is more than the limit: nothing would fit", "lower it"


def _cover(policy: RatePolicy) -> _Found:
    if policy.counts == "logins":
        for key in ("routes", "paths", "methods", "role_limits"):
            if getattr(policy, key):
                yield (
                    key,
                    "says nothing about attempts to log in",
                    'remove it, or counts = "logins"',
                )
        return
    for method in policy.methods:
        if not _METHOD.fullmatch(method):
            yield "methods", f"has {method!r}", "write methods in capitals, as in GET"
    for key in ("routes", "paths"):
        for problem, fix in faults_of_patterns(getattr(policy, key)):
            yield key, problem, fix
