"""When signing keys sign: laws over every history of rotations and of replicas that look."""

from hypothesis import given
from hypothesis import strategies as st

from edge.tokens.key_schedule import KeySchedule, KeyTimes, active_key, is_needed, states

SCHEDULE = KeySchedule(
    jwks_max_age_s=300, skew_s=60, reload_s=10, access_lifetime_s=900, leeway_s=5
)
DELAY_MS = SCHEDULE.publish_delay_ms


def key(kid: str, activates: int, retires: int | None = None, created: int = 0) -> KeyTimes:
    return KeyTimes(
        kid=kid, created_at_ms=created, activates_at_ms=activates, retires_at_ms=retires
    )


class History:
    """The rows of a database to which successors are added, as `SqlSigningKeys.add` does it."""

    def __init__(self, additions_ms: list[tuple[int, int]]) -> None:
        self.rows = [key("0", 0)]
        self._changes: list[tuple[int, list[KeyTimes]]] = [(0, list(self.rows))]
        now_ms = 0
        for number, (gap_ms, later_ms) in enumerate(additions_ms, start=1):
            now_ms += gap_ms
            self._add(str(number), now_ms, later_ms)
        self.end_ms = self.rows[-1].activates_at_ms + 2 * SCHEDULE.retirement_ms

    def _add(self, kid: str, now_ms: int, later_ms: int) -> None:
        activates = now_ms + DELAY_MS + later_ms
        retires = activates + SCHEDULE.retirement_ms
        self.rows = [
            key(row.kid, row.activates_at_ms, row.retires_at_ms or retires, row.created_at_ms)
            for row in self.rows
        ]
        self.rows.append(key(kid, activates, created=now_ms))
        self._changes.append((now_ms, list(self.rows)))

    def seen_at(self, now_ms: int) -> list[KeyTimes]:
        """Give the rows as a replica read them at that time."""
        return next(rows for at_ms, rows in reversed(self._changes) if at_ms <= now_ms)


# How long after the one before a key is added, and how much later than need be it signs.
some_ms = st.integers(0, 3 * SCHEDULE.retirement_ms)
additions = st.lists(st.tuples(some_ms, st.just(0) | some_ms), max_size=6)
share = st.floats(0, 1)


@given(additions, share, share)
def test_a_replica_signs_with_a_key_that_all_have_had_time_to_learn(
    additions_ms: list[tuple[int, int]], when: float, age: float
) -> None:
    """What signs, by a view that is good to sign by, was published a whole delay before."""
    history = History(additions_ms)
    now_ms = round(history.end_ms * when)
    seen_ms = max(now_ms - round((DELAY_MS - 1) * age), 0)
    signing = active_key(history.seen_at(seen_ms), now_ms)
    assert signing is not None
    assert signing.kid == "0" or now_ms - signing.created_at_ms >= DELAY_MS


@given(additions, share, share)
def test_no_key_goes_before_the_last_token_it_signed(
    additions_ms: list[tuple[int, int]], when: float, age: float
) -> None:
    """A token signed by any view that is good to sign by expires before its key retires."""
    history = History(additions_ms)
    now_ms = round(history.end_ms * when)
    seen_ms = max(now_ms - round((DELAY_MS - 1) * age), 0)
    signing = active_key(history.seen_at(seen_ms), now_ms)
    assert signing is not None
    truth = next(row for row in history.rows if row.kid == signing.kid)
    expires_ms = now_ms + (SCHEDULE.access_lifetime_s + SCHEDULE.leeway_s) * 1000
    assert truth.retires_at_ms is None or expires_ms <= truth.retires_at_ms


def test_a_key_replaced_at_once_outlives_what_an_old_view_signs_with_it() -> None:
    """`rotate --now`: a replica that has not heard of it may sign for a whole delay more."""
    replaced_ms = 50_000
    old = key("old", 0, retires=replaced_ms + SCHEDULE.retirement_ms)
    last_ms = replaced_ms + DELAY_MS - 1
    assert active_key([key("old", 0)], last_ms) is not None
    expires_ms = last_ms + (SCHEDULE.access_lifetime_s + SCHEDULE.leeway_s) * 1000
    assert not old.is_retired(expires_ms)


@given(additions, share)
def test_one_key_is_active_at_any_time(additions_ms: list[tuple[int, int]], when: float) -> None:
    """Of all keys there are, exactly one is active, and it is the one that signs."""
    history = History(additions_ms)
    now_ms = round(history.end_ms * when)
    active = [kid for kid, state in states(history.rows, now_ms).items() if state == "active"]
    signing = active_key(history.rows, now_ms)
    assert signing is not None
    assert active == [signing.kid]


def test_the_states_of_a_key_follow_each_other() -> None:
    """Pending until it activates, active until a successor is, then retiring, then retired."""
    keys = [key("old", 0, retires=300), key("new", 100, created=50)]
    seen = [tuple(states(keys, now_ms).values()) for now_ms in (0, 99, 100, 299, 300)]
    assert seen == [
        ("active", "pending"),
        ("active", "pending"),
        ("retiring", "active"),
        ("retiring", "active"),
        ("retired", "active"),
    ]


def test_a_planned_key_is_passed_over_by_one_made_later() -> None:
    """A key that follows all there are ends them, also the one that was to sign after it."""
    keys = [
        key("old", 0, retires=900, created=1),
        key("planned", 500, retires=600, created=2),
        key("urgent", 100, created=3),
    ]
    signing = [active_key(keys, now_ms) for now_ms in (99, 100, 500, 599, 600)]
    assert [chosen.kid for chosen in signing if chosen] == ["old"] + ["urgent"] * 4


def test_a_key_goes_only_where_another_takes_its_place_in_time() -> None:
    """Needed is what signs, what is newest, and what the key before it waits for."""
    keys = [
        key("gone", 0, retires=40, created=0),
        key("old", 0, retires=900, created=1),
        key("active", 50, retires=900, created=2),
        key("next", 500, retires=1500, created=3),
        key("last", 1000, created=4),
    ]
    assert [row.kid for row in keys if is_needed(row, keys, 60)] == ["active", "next", "last"]
    urgent = [*keys, key("urgent", 400, created=5)]
    assert [row.kid for row in urgent if is_needed(row, urgent, 60)] == ["active", "urgent"]


def test_of_two_that_activate_together_the_later_made_signs() -> None:
    """Every replica chooses the same one of two keys that activate at the same time."""
    keys = [key("b", 10, created=1), key("a", 10, created=2)]
    assert [active_key(some, 10) for some in (keys, keys[::-1])] == [keys[1]] * 2
