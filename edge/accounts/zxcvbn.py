"""The strength estimator: zxcvbn in Rust.

It takes milliseconds for the longest password, for which the one in Python takes seconds.
"""

from collections.abc import Sequence
from typing import Final

import zxcvbn_rs_py
from zxcvbn_rs_py import Warning as Advice

from edge.accounts.passwords import Strength

_COMMON: Final = (
    Advice.ThisIsATop10Password,
    Advice.ThisIsATop100Password,
    Advice.ThisIsACommonPassword,
    Advice.ThisIsSimilarToACommonlyUsedPassword,
)


def estimate(password: str, context: Sequence[str]) -> Strength:
    entropy = zxcvbn_rs_py.zxcvbn(password, list(context))
    advice = entropy.feedback.warning if entropy.feedback else None
    return Strength(score=int(entropy.score), is_common=advice in _COMMON)
