"""The shape that was chosen, as locust wants it."""

from typing import Final

from locust import LoadTestShape

from loadtests.capacity import is_saturated
from loadtests.session import Session
from loadtests.shapes import share_at, users_at

_MOST_A_SECOND: Final = 100.0  # what locust itself warns of, for each worker


class ChosenShape(LoadTestShape):
    """Users by the clock, up to `--users`, for `--run-time`; both may come from the web page."""

    use_common_options = True

    def __init__(self, session: Session) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # locust is typed in parts
        self._session = session
        self.runner = session.environment.runner

    def tick(self) -> tuple[int, float] | None:
        session = self._session
        run_time_s = session.planned_s or session.terms.run_time_s
        at_s: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if at_s >= run_time_s or self._is_enough(at_s):
            return None
        share = share_at(session.shape, at_s, run_time_s, steps=session.options.steps)
        fixed = sum(user.fixed_count for user in session.environment.user_classes)
        users = session.options.num_users or session.terms.users
        return users_at(share, users, fixed), _MOST_A_SECOND

    def _is_enough(self, at_s: float) -> bool:
        """Whether a run of steps has found what it looks for; going on would only hurt."""
        session = self._session
        if session.shape != "step" or session.planned_s is None:
            return False
        done = int(at_s / session.slot_s)
        slots = {
            number: slot for number, slot in session.whole_ledger.slots.items() if number < done
        }
        session.is_saturated = is_saturated(slots, session.counted_s)
        return session.is_saturated
