"""What may not be in `[[access.rules]]`, beyond types and bounds."""

from collections.abc import Iterator

from edge.settings.findings import Finding
from edge.settings.model import AccessRule, Settings


def check_access_rules(settings: Settings) -> Iterator[Finding]:
    """Give what is wrong, each with its place; a rule that never counts is wrong, too."""
    rules = settings.access.rules
    for number, rule in enumerate(rules):
        for key, problem, fix in (*_patterns(rule), *_needs(rule, settings)):
            yield Finding("error", f"EDGE_ACCESS_RULES[{number}].{key}", problem, fix)
        before = next((one for one in rules[:number] if _covers(one, rule)), None)
        if rule.name in [one.name for one in rules[:number]]:
            place = f"EDGE_ACCESS_RULES[{number}].name"
            yield Finding("error", place, f"is {rule.name!r} a second time", "use another one")
        elif before is not None:
            place = f"EDGE_ACCESS_RULES[{number}]"
            problem = f"comes behind {before.name!r}, which covers all that it does"
            yield Finding("error", place, problem, "put it first, or remove one of them")


_Found = Iterator[tuple[str, str, str]]


def _patterns(rule: AccessRule) -> _Found:
    for path in rule.paths:
        if not path.startswith(("/", "*")):
            yield "paths", f"has {path!r}, which no path is", "begin it with a slash"
        elif not set("%;?#\\").isdisjoint(path) or "//" in path or "/../" in f"{path}/":
            fix = "write the path as it is after decoding, without parameters and queries"
            yield "paths", f"has {path!r}, which no path becomes", fix
    for host in rule.hosts:
        if host != host.lower() or set("/: ") & set(host):
            yield "hosts", f"has {host!r}", "write the name in lower case, without a port"


def _needs(rule: AccessRule, settings: Settings) -> _Found:
    if rule.public:
        for key in ("roles", "scopes", "audience"):
            if getattr(rule, key):
                yield key, "is set while nobody is asked who they are", "remove it, or public"
    unknown = [scope for scope in rule.scopes if scope not in settings.access.scopes]
    if unknown:
        fix = "add it to EDGE_ACCESS_SCOPES, or mend the name"
        yield "scopes", f"has {unknown[0]!r}, which nobody may hold", fix
    if rule.audience and settings.tokens.algorithm == "HS256":
        fix = "set EDGE_TOKENS_ALGORITHM to another one, or remove it"
        yield "audience", "is set while HS256 signs, which the service cannot check", fix


def _covers(one: AccessRule, other: AccessRule) -> bool:
    """Say whether whatever the other covers is covered by this one: as far as is easily seen."""
    return all(
        not getattr(one, key) or set(getattr(one, key)) >= set(getattr(other, key) or [None])
        for key in ("hosts", "paths", "methods")
    )
