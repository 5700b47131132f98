"""The enforcement point: no route is open unless it says so where it is declared.

A route says with `opt=PUBLIC` or `opt=accepts("basic")`; one that says nothing takes bearer tokens.
There are no exclusions by path, which would open routes nobody thought of.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, cast
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from edge.access.decision import Allow, Forbidden, Refusal, Throttled
from edge.access.decision_point import DecisionPoint
from edge.access.principal import Method, Principal
from edge.http.context import context_of
from edge.http.meter import Meter, meter_of
from edge.http.rate_limits import RateLimits
from edge.reasons import Reason

_OPTION: Final = "edge_accepts"
_JUDGES: Final = "edge_judges"
_PRINCIPAL_KEY: Final = "user"  # Litestar's name: `request.user` is the principal
_DEFAULT: Final[frozenset[Method]] = frozenset({"bearer"})
_AUTHORIZATION: Final = b"authorization"

PUBLIC: Final[Mapping[str, Any]] = {_OPTION: frozenset()}


def accepts(*methods: Method) -> dict[str, Any]:
    """Give the `opt` of a route that takes these authentication methods."""
    return {_OPTION: frozenset(methods)}


def accepted_methods(opt: Mapping[str, Any]) -> frozenset[Method]:
    """Read from the `opt` of a route which methods it takes; none means that it is public."""
    methods: frozenset[Method] = opt.get(_OPTION, _DEFAULT)
    return methods


class RefusedError(Exception):
    """Carries a refusal out to where it becomes an answer.

    `accepted` are the methods the answer challenges for, `principal` is who was refused;
    `is_recorded` says that an event of its own has told of it already.
    """

    def __init__(
        self,
        refusal: Refusal,
        *,
        accepted: frozenset[Method] = _DEFAULT,
        principal: Principal | None = None,
        is_recorded: bool = False,
    ) -> None:
        self.refusal = refusal
        self.accepted = accepted
        self.principal = principal
        self.is_recorded = is_recorded
        super().__init__(refusal.reason.value)


class Judge(Protocol):
    """What a route asks of a principal."""

    def judge(self, principal: Principal) -> Forbidden | None:
        """Say why this principal may not, or nothing."""
        ...


def have_judged(handler: BaseRouteHandler, judges: Iterable[Judge]) -> None:
    """Let the enforcement point ask these about each principal that comes to the handler."""
    handler.opt[_JUDGES] = tuple(judges)


class Enforcement:
    """Asks the decision point about every request to a route that is not public.

    It is a factory of middleware: given the app further in, it gives the app around it.
    """

    def __init__(self, decision_point: DecisionPoint, limits: RateLimits) -> None:
        self._decision_point = decision_point
        self._limits = limits

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def enforced(scope: Scope, receive: Receive, send: Send) -> None:
            meter = self._limits.meter_for_route(scope)
            _refuse(meter.recall())
            opt = scope["route_handler"].opt
            accepted = accepted_methods(opt)
            principal = await self._authenticate(scope, accepted, meter) if accepted else None
            _refuse(await meter.charge(principal), principal)
            if principal is not None:
                _judge(principal, opt.get(_JUDGES, ()), accepted)
            await app(scope, receive, send)

        return enforced

    async def _authenticate(
        self, scope: Scope, accepted: frozenset[Method], meter: Meter
    ) -> Principal:
        """Give who is asking.

        Raises:
            RefusedError: they do not prove it, or were too many.
        """
        values = [value for name, value in scope["headers"] if name == _AUTHORIZATION]
        decision = self._decision_point.recall(values, accepted)
        if decision is None:
            if "basic" in accepted:  # which may cost a hash; a token costs microseconds
                _refuse(await meter.charge_early())
            address = context_of(scope).client_address
            decision = await self._decision_point.decide(values, accepted, address)
        if not isinstance(decision, Allow):
            if "basic" not in accepted:
                _refuse(await meter.charge(None))
            raise RefusedError(decision, accepted=accepted)
        cast("dict[str, Any]", scope)[_PRINCIPAL_KEY] = decision.principal
        return decision.principal


async def spend(request: ASGIConnection[Any, Any, Any, Any], cost: int) -> None:
    """Charge a request so much more, on all windows that it was charged on.

    For handlers that find out late how much work a request is.

    Raises:
        ValueError: the cost is negative, which would give something back.
        RefusedError: it does not fit; nothing was charged then.
        UnavailableError: it cannot be counted, and a policy says to refuse then.
    """
    if cost < 0:
        message = f"a cost of {cost}"
        raise ValueError(message)
    meter = meter_of(request.scope)
    if meter is not None:
        _refuse(await meter.spend(cost))


def _refuse(throttled: Throttled | None, principal: Principal | None = None) -> None:
    if throttled is not None:
        raise RefusedError(throttled, principal=principal)


def _judge(principal: Principal, judges: Iterable[Judge], accepted: frozenset[Method]) -> None:
    for judge in judges:
        refusal = judge.judge(principal)
        if refusal is not None:
            raise RefusedError(refusal, accepted=accepted, principal=principal)


def principal_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """Give the principal that the enforcement point let in.

    Raises:
        RuntimeError: the route is public, so nobody was asked who they are.
    """
    principal = connection.scope.get(_PRINCIPAL_KEY)
    if not isinstance(principal, Principal):
        message = "a public route has no principal"
        raise RuntimeError(message)  # noqa: TRY004  # the route is wrong, not a type
    return principal


def is_authenticated(scope: Mapping[str, Any]) -> bool:
    """Say whether the enforcement point let somebody in, and not just anybody."""
    return scope.get(_PRINCIPAL_KEY) is not None


def user_of(principal: Principal) -> UUID:
    """Give the id of the user who is asking.

    Raises:
        RefusedError: it is no user of this Edge: a client for itself, or somebody else's user.
    """
    if principal.user_id is None:
        raise RefusedError(Forbidden(Reason.USER_NEEDED), principal=principal)
    return principal.user_id


def forbid(
    connection: ASGIConnection[Any, Any, Any, Any], principal: Principal, refusal: Forbidden
) -> RefusedError:
    """Make the exception by which a guard refuses."""
    accepted = accepted_methods(connection.scope["route_handler"].opt)
    return RefusedError(refusal, accepted=accepted, principal=principal)
