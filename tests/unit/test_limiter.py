"""The limiter: policies, what is remembered, and what happens while the windows are away."""

from collections.abc import Sequence
from typing import Any

import pytest

from edge.faults import UnavailableError
from edge.ratelimit.charge import Charge, Outcome, Verdict
from edge.ratelimit.limiter import Admission, Applied, Limiter, apply
from edge.ratelimit.memory import MemoryWindows
from edge.ratelimit.partition import Facts
from edge.ratelimit.policy import Policy
from edge.reasons import Reason
from tests.support.fakes import FakeClock

ADDRESS = Facts(address="203.0.113.7")


class SpyWindows(MemoryWindows):
    """Windows in memory that count what they are asked, and can be away."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(lambda: round(clock.now * 1_000_000))
        self.asked = 0
        self.is_away = False

    async def decide(self, charges: Sequence[Charge]) -> Outcome:
        self.asked += 1
        if self.is_away:
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)
        return await super().decide(charges)


class Watcher:
    """Takes notes."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def decided(self, policy: Policy, limit: int, verdict: Verdict, *, is_admitted: bool) -> None:
        del limit, verdict
        self.notes.append((policy.name, "admitted" if is_admitted else "refused"))

    def remembered(self, policy: Policy) -> None:
        self.notes.append((policy.name, "remembered"))

    def without_windows(self, policy: Policy) -> None:
        self.notes.append((policy.name, "away"))


class House:
    """A limiter over windows that can be looked at."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000.0)
        self.windows, self.local = SpyWindows(self.clock), SpyWindows(self.clock)
        self.watcher = Watcher()
        self.limiter = Limiter(self.windows, self.local, clock=self.clock, watcher=self.watcher)

    async def ask(self, *policies: Policy, facts: Facts = ADDRESS) -> Admission:
        return await self.limiter.acquire(apply(policies, facts))

    async def admitted(self, times: int, *policies: Policy) -> int:
        admissions = [await self.ask(*policies) for _ in range(times)]
        return sum(admission.refused_by is None for admission in admissions)


@pytest.fixture
def house() -> House:
    return House()


def policy(name: str = "p", limit: int = 3, **fields: object) -> Policy:
    return Policy(name=name, limit=limit, **{"window_s": 60, **fields})  # type: ignore[arg-type]


async def test_a_policy_admits_its_limit(house: House) -> None:
    """Exactly so many, and then says who refuses and how long to wait."""
    assert await house.admitted(5, policy(algorithm="log")) == 3
    refused = await house.ask(policy(algorithm="log"))
    assert refused.refused_by == policy(algorithm="log")
    assert refused.retry_after_us == 60_000_000


async def test_without_a_policy_everything_goes(house: House) -> None:
    """Nothing is asked then."""
    assert (await house.ask()).refused_by is None
    assert house.windows.asked == 0


async def test_of_several_that_refuse_the_longest_wait_is_told(house: House) -> None:
    """Waiting for less would be in vain."""
    short, long = policy("short", 1, algorithm="log"), policy("long", 1, window_s=600)
    await house.ask(short, long)
    refused = await house.ask(short, long)
    assert refused.refused_by == long
    assert refused.retry_after_us is not None
    assert refused.retry_after_us > 60_000_000


async def test_a_refusal_is_remembered_for_a_second_at_most(house: House) -> None:
    """It costs nothing until then; the wait that is told gets shorter."""
    limited = policy(limit=1, algorithm="log")
    assert await house.admitted(2, limited) == 1
    assert house.windows.asked == 2
    house.clock.forward(0.999)
    assert (await house.ask(limited)).retry_after_us == pytest.approx(59_001_000)
    assert house.windows.asked == 2
    house.clock.forward(0.001)
    await house.ask(limited)
    assert house.windows.asked == 3


async def test_a_refusal_is_forgotten_when_the_cost_fits(house: House) -> None:
    """Where the wait is shorter than a second, it is not longer because of the memory."""
    limited = policy(limit=1, algorithm="log", window_s=0.4)
    assert await house.admitted(2, limited) == 1
    house.clock.forward(0.4)
    assert (await house.ask(limited)).refused_by is None


async def test_another_limit_or_cost_is_another_question(house: House) -> None:
    """Somebody with a higher limit, or who asks for less, is not refused by memory."""
    await house.ask(policy(limit=3, cost=2))
    assert (await house.ask(policy(limit=3, cost=2))).refused_by is not None
    assert (await house.ask(policy(limit=3, cost=1))).refused_by is None
    assert (await house.ask(policy(limit=30, cost=2))).refused_by is None


async def test_what_never_fits_has_no_wait(house: House) -> None:
    """A cost above the limit is refused without a time, by asking and by memory."""
    for _ in range(2):
        refused = await house.ask(policy(limit=3, cost=4))
        assert (refused.refused_by, refused.retry_after_us) == (policy(limit=3, cost=4), None)
    assert house.windows.asked == 1


async def test_the_memory_of_refusals_is_bounded(house: House) -> None:
    """The oldest of 10,000 goes when another comes; nothing grows under a flood of addresses."""
    limited = policy(limit=1, cost=2)
    for number in range(12_000):
        await house.ask(limited, facts=Facts(address=f"10.0.{number // 256}.{number % 256}"))
    assert len(house.limiter._refused) == len(house.limiter._order) == 10_000  # noqa: SLF001


async def test_a_shadow_refuses_nobody_and_is_not_remembered(house: House) -> None:
    """It decides, and what it would have refused is seen in the standings only."""
    shadow = policy("shadow", 1, is_shadow=True)
    admissions = [await house.ask(shadow, policy(limit=100)) for _ in range(3)]
    assert [a.refused_by for a in admissions] == [None] * 3
    assert [a.standings[-1].verdict.fits for a in admissions] == [True, False, False]
    assert house.windows.asked == 3


async def test_what_was_charged_can_be_given_back(house: House) -> None:
    """All windows of the request are as if it had not been."""
    policies = policy("a", 1, algorithm="log"), policy("b", 1)
    admission = await house.ask(*policies)
    await house.limiter.give_back(admission)
    assert (await house.ask(*policies)).refused_by is None


async def test_the_highest_limit_of_ones_roles_counts(house: House) -> None:
    """Whoever has none of them gets the policy's own."""
    by_role = policy(limit=1, role_limits={"gold": 5, "silver": 3})
    for roles, limit in (((), 1), (("silver",), 3), (("silver", "gold"), 5), (("tin",), 1)):
        [applied] = apply([by_role], ADDRESS, roles)
        assert applied.charge.quota.limit == limit


@pytest.mark.parametrize(
    ("ways", "outcome"),
    [
        (["allow"], 5),
        (["local"], 3),
        (["deny"], None),
        (["allow", "local"], 3),
        (["local", "deny"], None),
        (["allow", "local", "deny"], None),
    ],
)
async def test_while_the_windows_are_away_the_strictest_decides(
    house: House, ways: list[str], outcome: int | None
) -> None:
    """`deny` before `local` before `allow`; `local` admits the limit of each worker."""
    policies = [policy(f"p{place}", on_outage=way) for place, way in enumerate(ways)]
    house.windows.is_away = True
    if outcome is None:
        with pytest.raises(UnavailableError) as caught:
            await house.ask(*policies)
        assert caught.value.reason is Reason.LIMITS_UNAVAILABLE
    else:
        assert await house.admitted(5, *policies) == outcome


async def test_a_shadow_denies_nobody_while_the_windows_are_away(house: House) -> None:
    """Its `on_outage` is as little enforced as its limit."""
    house.windows.is_away = True
    assert await house.admitted(5, policy(on_outage="deny", is_shadow=True)) == 5


async def test_a_local_charge_is_given_back_locally(house: House) -> None:
    """Where it was made while the windows were away, though they are back."""
    house.windows.is_away = True
    admission = await house.ask(policy(limit=1))
    house.windows.is_away = False
    await house.limiter.give_back(admission)
    house.windows.is_away = True
    assert (await house.ask(policy(limit=1))).refused_by is None


async def test_giving_back_while_they_are_away_is_no_fault(house: House) -> None:
    """The charge stays: it is an attempt too many at worst."""

    class Gone(SpyWindows):
        async def give_back(self, charged: object) -> None:  # noqa: ARG002
            raise UnavailableError(Reason.LIMITS_UNAVAILABLE)

    limiter = Limiter(Gone(house.clock), house.local, clock=house.clock, watcher=house.watcher)
    admission = await limiter.acquire(apply([policy()], ADDRESS))
    await limiter.give_back(admission)


async def test_everything_is_told(house: House) -> None:
    """Each decision, each memory used and each outage is counted, by policy."""
    limited = policy(limit=1)
    await house.ask(limited)
    await house.ask(limited)
    await house.ask(limited)
    house.windows.is_away = True
    await house.ask(policy("other"))
    assert house.watcher.notes == [
        ("p", "admitted"),
        ("p", "refused"),
        ("p", "remembered"),
        ("other", "away"),
        ("other", "admitted"),
    ]


FACTS = Facts(
    address="203.0.113.7",
    route="/token",
    principal="p1",
    client="app",
    account="ann",
    headers={"x-api-key": "secret"},
)


def key_of(facts: Facts, *partition: str, **fields: Any) -> bytes | None:  # noqa: ANN401
    applied: list[Applied] = apply([policy(partition=partition, **fields)], facts)
    return applied[0].charge.key if applied else None


def test_each_part_of_a_partition_key_counts() -> None:
    """Two requests share a window when all parts are equal, and else not."""
    parts = ["address", "principal", "client", "account", "route", "header:x-api-key"]
    other = Facts(
        address="203.0.113.8",
        route="/login",
        principal="p2",
        client="web",
        account="bob",
        headers={"x-api-key": "other"},
    )
    for part in parts:
        assert key_of(FACTS, part) != key_of(other, part)
        assert key_of(FACTS, part) == key_of(FACTS, part)
    assert key_of(FACTS, "global") == key_of(other, "global")
    assert key_of(FACTS, *parts) != key_of(other, *parts)


def test_no_two_lists_of_parts_look_the_same() -> None:
    """Whatever characters are in them, parts do not run into each other."""
    names = ["a", "b", "ab", "", ":", "1:a", "a1:b", "a:1", "1:a1:b"]
    facts = [Facts(address="x", principal=one, client=two) for one in names for two in names]
    assert len({key_of(fact, "principal", "client") for fact in facts}) == len(facts)


def test_another_policy_window_or_algorithm_has_other_windows() -> None:
    """Two policies that count by the same thing do not count each other's."""
    keys = {
        key_of(FACTS, "address"),
        key_of(FACTS, "address", name="q"),
        key_of(FACTS, "address", window_s=61),
        key_of(FACTS, "address", algorithm="log"),
    }
    assert len(keys) == 4
    assert key_of(FACTS, "address", limit=9) in keys  # a changed limit goes on counting


def test_nothing_secret_is_in_a_key() -> None:
    """Neither an address nor what a header says can be read in Redis."""
    key = key_of(FACTS, "address", "header:x-api-key")
    assert key is not None
    assert b"secret" not in key
    assert b"203.0" not in key


def test_a_policy_of_which_a_part_is_unknown_does_not_apply() -> None:
    """Without a principal there is nothing to count by; a header not sent is an empty one."""
    stranger = Facts(address="203.0.113.7")
    for part in ("principal", "client", "account"):
        assert key_of(stranger, part) is None
        assert key_of(stranger, "address", part) is None
    assert key_of(stranger, "header:x-api-key") is not None


def test_ipv6_counts_by_64() -> None:
    """One customer has a whole /64; IPv4 counts by address, a socket by its name."""

    def of(address: str) -> bytes | None:
        return key_of(Facts(address=address), "address")

    assert of("2001:db8::1") == of("2001:db8::ffff:1") != of("2001:db8:0:1::1")
    assert of("203.0.113.7") != of("203.0.113.8")
    assert of("") == of("")
