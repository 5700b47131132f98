"""Faults: why Edge could not decide. A refusal is a value (see `edge.access.decision`)."""

from edge.reasons import Reason


class TooManyAttemptsError(Exception):
    """Somebody tried to log in too often: 429, in whatever way they tried.

    `policy` is the rate policy that refused. Without `retry_after_s`, waiting does not help.
    """

    reason = Reason.RATE_LIMITED

    def __init__(self, policy: str, *, retry_after_s: int | None) -> None:
        self.policy = policy
        self.retry_after_s = retry_after_s
        super().__init__(policy)


class UnavailableError(Exception):
    """Something Edge needs is away or overloaded; the caller did nothing wrong: 503, never 401.

    `retry_after_s` is in whole seconds, as `Retry-After` wants it.
    """

    def __init__(self, reason: Reason, *, retry_after_s: int = 1) -> None:
        self.reason = reason
        self.retry_after_s = retry_after_s
        super().__init__(reason.value)
