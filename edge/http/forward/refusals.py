"""Refusals as the answers that a client would get from Edge itself. Pure."""

from edge.access.decision import (
    Forbidden,
    Malformed,
    Refusal,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from edge.access.principal import Method
from edge.http.plain_answers import PlainAnswer, problem_answer
from edge.http.problems import challenges, scope_challenge


def answer_to(
    refusal: Refusal, accepted: frozenset[Method], *, realm: str, request_id: str
) -> PlainAnswer:
    """Give the answer; `accepted` are the methods that a 401 challenges for."""
    reason = refusal.reason
    match refusal:
        case Malformed():
            return problem_answer(reason, 400, request_id=request_id)
        case Unauthenticated():
            wanted = ", ".join(challenges(realm, accepted, reason))
            return _challenging(problem_answer(reason, 401, request_id=request_id), wanted)
        case Forbidden(scopes=scopes):
            answer = problem_answer(reason, 403, request_id=request_id)
            return _challenging(answer, scope_challenge(realm, scopes)) if scopes else answer
        case Throttled(retry_after_s=seconds, policy=policy):
            return problem_answer(
                reason, 429, request_id=request_id, policy=policy, retry_after_s=seconds
            )
        case Unavailable(retry_after_s=seconds):
            return problem_answer(reason, 503, request_id=request_id, retry_after_s=seconds)


def _challenging(answer: PlainAnswer, challenge: str) -> PlainAnswer:
    field = (b"www-authenticate", challenge.encode("ascii"))
    return PlainAnswer(answer.status, [*answer.fields, field], answer.body)
