"""Patterns that no path is like, so that what is said for them would never hold."""

from collections.abc import Iterable, Iterator


def faults_of_patterns(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give what is wrong with patterns for the paths of requests, and what to do about it."""
    for pattern in patterns:
        if not pattern.startswith(("/", "*")):
            yield f"has {pattern!r}, which no path is", "begin it with a slash"
        elif pattern.endswith("/") and pattern != "/":
            problem = f"has {pattern!r}, and paths are compared without a slash at their end"
            yield problem, "leave the slash at its end out, or write a * behind it"
