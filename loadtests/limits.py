"""How often a key was let through, at the least, in any window."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Final

from loadtests.ledger import Ledger

# Workers on several machines need not agree on the time more closely.
_SKEW_S: Final = 1.0


def most_in_window(times: Sequence[tuple[float, float]], window_s: float) -> int:
    """Give the most requests that lay in one window as a whole, from being sent to the answer.

    Edge decided about each somewhere between the two. So this many were certainly let through in a
    window, and no slow network can accuse it wrongly.
    """
    sent = sorted(times)
    ends = sorted(ended for _, ended in sent)
    most, earlier_ends = 0, list[float]()
    for began, ended in sent:
        until = began + window_s
        most = max(most, bisect_right(ends, until) - bisect_right(earlier_ends, until))
        insort(earlier_ends, ended)
    return most


def check_admitted(ledger: Ledger, limit: int, window_s: float) -> list[str]:
    """Hold each key against the limit; gives why that says nothing, where it does not."""
    most = {
        key: most_in_window(times, window_s - _SKEW_S) for key, times in ledger.admitted.items()
    }
    law = f"limit_abuse: nobody is let through more than {limit} times in {window_s:g} s"
    for key, count in sorted(most.items()):
        ledger.check(law, f"{key}: {count}" if count > limit else "")
    if most and max(most.values()) < limit:
        return [f"no abuser came to the limit of {limit}, only to {max(most.values())}"]
    return []
