"""Users that ask Edge: as they come (open loop), or one request after the other (closed loop)."""

import json
import random
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any, ClassVar, Final

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, constant, task
from locust.env import Environment

import loadtests.listeners  # noqa: F401  # whoever has users has the verdict, in every process
from loadtests.answers import Answer, Call
from loadtests.session import Session, session_of
from loadtests.tokens import Token, in_turns

# Networks for measuring, which nobody has (RFC 2544): 131,072 addresses.
_ADDRESSES: Final = range(int(IPv4Address("198.18.0.0")), int(IPv4Address("198.20.0.0")))


class EdgeUser(FastHttpUser):
    """A user of Edge; each of its requests comes from another address, by `X-Forwarded-For`."""

    abstract = True
    network_timeout = 15.0  # no request of Edge takes longer, and locust's minute is no answer
    connection_timeout = 5.0
    # How many requests of a user may be in flight. What is due then is dropped, and counted.
    concurrency = 250

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.session = session_of(environment)
        self.chance = random.Random()  # noqa: S311  # forked workers must not all draw the same

    @classmethod
    def prepare(cls, session: Session) -> None:
        """Make what users of this class need, once in each process, before any of them starts."""

    def on_start(self) -> None:
        self.session.ready.wait()

    def ask(self, call: Call, due_s: float | None = None) -> Answer:
        """Ask, judge and count; latency is from `due_s`, or from now in a closed loop."""
        began_s = time.perf_counter()
        due_s = began_s if due_s is None else due_s
        answer, meta = self._send(call)
        self._count(call, answer, due_s, meta)
        return answer

    def _send(self, call: Call) -> tuple[Answer, dict[str, Any]]:
        fields = {"X-Forwarded-For": self.address(), **call.fields}
        data = None
        if call.body is not None:
            data = json.dumps(call.body)
            fields["Content-Type"] = "application/json"
        sent_s = time.perf_counter()
        response = self.client.request(
            call.method, call.path, data=data, headers=fields, catch_response=True
        )
        ended_s = time.perf_counter()
        heard = {name.lower(): value for name, value in (response.headers or {}).items()}
        error = "" if response.status_code else repr(getattr(response, "error", None))
        body = response.content or b""
        answer = Answer(response.status_code, heard, body, sent_s, ended_s, error)
        return answer, response.request_meta

    def _count(self, call: Call, answer: Answer, due_s: float, meta: dict[str, Any]) -> None:
        wrong = call.expected(answer)
        if not wrong:
            self.session.count_right(
                call.name, due_s=due_s, sent_s=answer.sent_s, ended_s=answer.ended_s
            )
        if not self.session.is_measured(due_s):
            return
        if not (wrong and answer.is_failure):  # no answer is no wrong answer
            self.session.ledger.check(call.law, wrong)
        meta["name"] = _shown(call.name, answer)
        meta["response_time"] = (answer.ended_s - due_s) * 1000
        meta["exception"] = RuntimeError(wrong) if wrong else None
        self.environment.events.request.fire(**meta)

    def address(self) -> str:
        """Give the address that this request is from."""
        return str(IPv4Address(self.chance.choice(_ADDRESSES)))


class OpenLoopUser(EdgeUser):
    """Requests that begin when they are due, however long others take.

    A user is one stream of arrivals, `rate_per_s` of them at random times; the load is users times
    rate. Several streams together are again such a stream, so it does not matter which worker has
    how many of them.
    """

    abstract = True
    wait_time = constant(0)
    name: ClassVar[str]
    rate_per_s: ClassVar[float] = 25.0

    def on_start(self) -> None:
        super().on_start()
        self._pool = Pool(self.concurrency)
        self.session.watch(self._pool)
        self._due_s = time.perf_counter()

    def arrival(self, due_s: float) -> None:
        """Do what one arrival does; each in a greenlet of its own."""
        raise NotImplementedError

    def rate_now(self) -> float:
        """Give how many arrivals a second this user has at this moment."""
        scale: float = self.session.options.rate_scale
        return self.rate_per_s * scale

    @task
    def arrive(self) -> None:
        self._due_s += self.chance.expovariate(self.rate_now())
        # At least a turn for the others: who is late would not let them go on.
        gevent.sleep(max(self._due_s - time.perf_counter(), 0))
        if self.session.is_draining:
            return
        is_full = self._pool.full()
        self.session.count_arrival(self.name, self._due_s, is_dropped=is_full)
        if not is_full:
            self._pool.spawn(self._begin, self._due_s)

    def _begin(self, due_s: float) -> None:
        self.session.count_start(due_s)
        try:
            self.arrival(due_s)
        except Exception as error:  # noqa: BLE001  # as locust does for what runs in a task
            self.environment.events.user_error.fire(
                user_instance=self, exception=error, tb=error.__traceback__
            )


class TokenUser(OpenLoopUser):
    """Arrivals that bring tokens of one pool in turns: good ones, where it says nothing else."""

    abstract = True
    pool: ClassVar[list[Token]]
    tokens: Iterator[Token]

    @classmethod
    def prepare(cls, session: Session) -> None:
        cls.pool = session.tokens.good()

    def on_start(self) -> None:
        super().on_start()
        self.tokens = in_turns(self.pool, self.chance)


def _shown(name: str, answer: Answer) -> str:
    """Give the name in the statistics: who is told to wait is told quickly, and counted apart."""
    return f"{name} [{answer.status}]" if answer.is_told_to_wait else name
