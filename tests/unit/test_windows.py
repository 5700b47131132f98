"""The laws of the two windows, against counting by hand."""

from hypothesis import given
from hypothesis import strategies as st

from edge.ratelimit.charge import Algorithm, Quota
from edge.ratelimit.windows import CounterWindow, LogWindow

WINDOW_US = 1000
WIDTH_US = WINDOW_US // 10

# Between two requests: from edge to edge of sub-windows, a moment before or behind, or anything.
gaps = st.one_of(
    st.builds(
        lambda widths, moment: max(widths * WIDTH_US + moment, 0),
        st.integers(0, 12),
        st.sampled_from([0, 0, 1, -1, WIDTH_US - 1]),
    ),
    st.integers(0, 2 * WINDOW_US),
)
requests = st.lists(st.tuples(gaps, st.integers(1, 4)), max_size=60)
limits = st.integers(1, 12)
starts = st.sampled_from([10**9, 10**9 + 1, 10**9 + WIDTH_US - 1])


def run(
    algorithm: Algorithm, limit: int, start_us: int, asked: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give what was admitted and what was refused, each as time and cost."""
    window = LogWindow(WINDOW_US) if algorithm == "log" else CounterWindow(WINDOW_US)
    quota = Quota(algorithm, limit, WINDOW_US)
    now_us, admitted, refused = start_us, [], []
    for gap_us, cost in asked:
        now_us += gap_us
        if window.weigh(quota, cost, now_us).fits:
            window.charge(quota, cost, now_us)
            admitted.append((now_us, cost))
        else:
            refused.append((now_us, cost))
    return admitted, refused


def used(admitted: list[tuple[int, int]], now_us: int, length_us: int) -> int:
    """Count the units of a window of that length that ends now, and began before it."""
    return sum(cost for at_us, cost in admitted if now_us - length_us < at_us <= now_us)


@given(st.sampled_from(["log", "counter"]), limits, starts, requests)
def test_a_charge_says_how_the_window_stands_then(
    algorithm: Algorithm, limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    """The same as asking without a cost says right after it."""
    window = LogWindow(WINDOW_US) if algorithm == "log" else CounterWindow(WINDOW_US)
    quota = Quota(algorithm, limit, WINDOW_US)
    now_us = start_us
    for gap_us, cost in asked:
        now_us += gap_us
        if window.weigh(quota, cost, now_us).fits:
            assert window.charge(quota, cost, now_us) == window.weigh(quota, 0, now_us)


@given(st.sampled_from(["log", "counter"]), limits, starts, requests)
def test_no_window_holds_more_than_the_limit(
    algorithm: Algorithm, limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    """In whatever interval of one window length, wherever it begins."""
    admitted, _ = run(algorithm, limit, start_us, asked)
    assert all(used(admitted, at_us, WINDOW_US) <= limit for at_us, _ in admitted)


@given(limits, starts, requests)
def test_a_log_refuses_only_what_would_not_fit(
    limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    """It is exact: every refusal would have made one unit too many."""
    admitted, refused = run("log", limit, start_us, asked)
    for now_us, cost in refused:
        assert used([a for a in admitted if a[0] <= now_us], now_us, WINDOW_US) + cost > limit or (
            cost > limit
        )


@given(limits, starts, requests)
def test_a_counter_refuses_only_what_a_log_of_eleven_tenths_would(
    limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    """Its own admissions, remembered exactly for 1.1 windows, leave no room for what it refuses."""
    window = CounterWindow(WINDOW_US)
    quota = Quota("counter", limit, WINDOW_US)
    now_us, admitted = start_us, list[tuple[int, int]]()
    for gap_us, cost in asked:
        now_us += gap_us
        if window.weigh(quota, cost, now_us).fits:
            window.charge(quota, cost, now_us)
            admitted.append((now_us, cost))
        else:
            assert used(admitted, now_us, WINDOW_US + WIDTH_US) + cost > limit


@given(st.sampled_from(["log", "counter"]), limits, starts, requests, st.integers(1, 12))
def test_the_time_to_wait_is_exact(
    algorithm: Algorithm, limit: int, start_us: int, asked: list[tuple[int, int]], cost: int
) -> None:
    """At that moment it fits, where nobody else comes, and a microsecond earlier it does not."""
    window = LogWindow(WINDOW_US) if algorithm == "log" else CounterWindow(WINDOW_US)
    quota = Quota(algorithm, limit, WINDOW_US)
    now_us = start_us
    for gap_us, spent in asked:
        now_us += gap_us
        if window.weigh(quota, spent, now_us).fits:
            window.charge(quota, spent, now_us)
    wait_us = window.weigh(quota, cost, now_us).retry_after_us
    if wait_us is None:
        assert cost > limit
    elif wait_us:
        assert not window.weigh(quota, cost, now_us + wait_us - 1).fits
        assert window.weigh(quota, cost, now_us + wait_us).fits


@given(st.sampled_from(["log", "counter"]), limits, starts, requests)
def test_after_the_reset_all_of_the_quota_is_free(
    algorithm: Algorithm, limit: int, start_us: int, asked: list[tuple[int, int]]
) -> None:
    """And a microsecond before, some of it is not."""
    window = LogWindow(WINDOW_US) if algorithm == "log" else CounterWindow(WINDOW_US)
    quota = Quota(algorithm, limit, WINDOW_US)
    now_us = start_us
    for gap_us, cost in asked:
        now_us += gap_us
        if window.weigh(quota, cost, now_us).fits:
            window.charge(quota, cost, now_us)
    reset_us = window.weigh(quota, 0, now_us).reset_after_us
    if reset_us:
        assert window.weigh(quota, 0, now_us + reset_us - 1).remaining < limit
    assert window.weigh(quota, 0, now_us + reset_us).remaining == limit


@given(st.sampled_from(["log", "counter"]), st.integers(1, 5 * WINDOW_US))
def test_a_clock_that_runs_backwards_stands_still(algorithm: Algorithm, back_us: int) -> None:
    """Nothing is freed by it, and nothing that was charged is in the future."""
    window = LogWindow(WINDOW_US) if algorithm == "log" else CounterWindow(WINDOW_US)
    quota = Quota(algorithm, 2, WINDOW_US)
    now_us = 10**9
    window.charge(quota, 2, now_us)
    earlier = window.weigh(quota, 1, now_us - back_us)
    assert not earlier.fits
    assert earlier.retry_after_us is not None
    assert 0 < earlier.retry_after_us <= WINDOW_US + WIDTH_US
