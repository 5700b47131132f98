"""The strength estimator: zxcvbn in Rust.

It takes milliseconds for the longest password, for which the one in Python takes seconds.
"""

from collections.abc import Sequence
from typing import Final

import zxcvbn_rs_py

from edge.accounts.passwords import Strength

# As many passwords as a list of common ones has. The library also gives advice in words, but for
# some passwords now this and now that.
_COMMON_WITHIN_GUESSES: Final = 100_000


def estimate(password: str, context: Sequence[str]) -> Strength:
    entropy = zxcvbn_rs_py.zxcvbn(password, list(context))
    return Strength(score=int(entropy.score), is_common=entropy.guesses <= _COMMON_WITHIN_GUESSES)
