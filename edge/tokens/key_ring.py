"""The signing keys of this Edge, opened: what signs, what verifies, what is published."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.tokens.claims import ACCESS_TOKEN_TYPE, ASSERTION_TYPE, AccessClaims, AssertionClaims
from edge.tokens.key_schedule import KeySchedule, KeyTimes, active_key
from edge.tokens.signing_key import JwkSet, OpenedKey
from edge.tokens.verifier import Verifier

_SMALL_S: Final = 1.0

_encode: Final = msgspec.json.Encoder().encode


class RingKey(msgspec.Struct, frozen=True):
    """An opened key with its times."""

    opened: OpenedKey
    times: KeyTimes


class KeyRing:
    """The keys of one view of the database, as `load` gave them; the newest active one signs.

    `clock` is seconds since the epoch, `monotonic` are seconds that nobody sets. What the
    database's clock says between two loads follows from the latter: replicas whose clocks differ
    still change keys at the same moment.
    """

    def __init__(
        self,
        verifier: Verifier,
        issuer: str,
        schedule: KeySchedule,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._verifier = verifier
        self._issuer = issuer
        self._schedule = schedule
        self._clock = clock
        self._monotonic = monotonic
        self._keys: dict[str, RingKey] = {}
        self._headers: dict[tuple[str, str], bytes] = {}
        self._read_at_ms = 0
        self._read_at_s = -float("inf")
        self._to_wall_clock_s = 0.0
        self._jwk_set = _jwk_set([], schedule.jwks_max_age_s)

    @property
    def jwk_set(self) -> JwkSet:
        """What is published. The older the view, the shorter it may be kept.

        A key that is not in it yet is published for others already, and will sign on time.
        """
        overdue_s = self._monotonic() - self._read_at_s - 2 * self._schedule.reload_s
        if overdue_s <= 0:
            return self._jwk_set
        max_age_s = max(self._jwk_set.max_age_s - overdue_s, 0)
        return msgspec.structs.replace(self._jwk_set, max_age_s=int(max_age_s))

    def __contains__(self, kid: object) -> bool:
        return kid in self._keys

    def load(self, keys: Sequence[RingKey], *, read_at_ms: int, began_s: float) -> None:
        """Take these keys; they were read after the `monotonic` clock showed `began_s`.

        Of two looks at the same time, the one that began later stands, whichever ends first.
        """
        if began_s < self._read_at_s:
            return
        alive = [key for key in keys if not key.times.is_retired(read_at_ms)]
        self._keys = {key.times.kid: key for key in alive}
        self._headers = {
            (key.times.kid, type_): _header(key.opened, type_)
            for key in alive
            for type_ in (ACCESS_TOKEN_TYPE, ASSERTION_TYPE)
        }
        self._read_at_ms, self._read_at_s = read_at_ms, began_s
        self._follow_wall_clock()
        self._verifier.replace_keys(
            self._issuer,
            [
                msgspec.structs.replace(
                    key.opened.verifying, retires_at_s=self._retires_at_s(key.times)
                )
                for key in alive
            ],
        )
        self._jwk_set = _jwk_set([key.opened for key in alive], self._schedule.jwks_max_age_s)

    def sign(self, claims: AccessClaims) -> str:
        """Sign claims with the active key; they must not outlive it, see `latest_expiry_s`.

        Raises:
            UnavailableError: the keys at hand are too old to sign with.
        """
        return self._sign(claims, ACCESS_TOKEN_TYPE)

    def sign_assertion(self, claims: AssertionClaims) -> str:
        """Sign an assertion; as `sign` does."""
        return self._sign(claims, ASSERTION_TYPE)

    def _sign(self, claims: AccessClaims | AssertionClaims, type_: str) -> str:
        key = self._active()
        header = self._headers[key.times.kid, type_]
        signing_input = b".".join((header, _to_base64url(_encode(claims))))
        signature = key.opened.signing.sign(signing_input)
        return b".".join((signing_input, _to_base64url(signature))).decode("ascii")

    def latest_expiry_s(self) -> float:
        """Give the latest `exp` of a token signed now, so that its key outlives it.

        Raises:
            UnavailableError: as `sign` does.
        """
        return self._retires_at_s(self._active().times) - self._schedule.leeway_s

    def _follow_wall_clock(self) -> None:
        """Learn how this machine's clock differs from the database's.

        Small differences are left alone: a retirement that came closer with each load would make
        the verifier forget its tokens each time.
        """
        difference_s = self._clock() - self._now_ms() / 1000
        if abs(difference_s - self._to_wall_clock_s) > _SMALL_S:
            self._to_wall_clock_s = difference_s

    def _active(self) -> RingKey:
        now_ms = self._now_ms()
        # A key that this view does not show may be active from then on.
        is_fresh = now_ms - self._read_at_ms < self._schedule.publish_delay_ms
        active = active_key((key.times for key in self._keys.values()), now_ms)
        if active is None or not is_fresh:
            raise UnavailableError(Reason.SIGNING_UNAVAILABLE)
        return self._keys[active.kid]

    def _now_ms(self) -> int:
        return self._read_at_ms + round((self._monotonic() - self._read_at_s) * 1000)

    def _retires_at_s(self, times: KeyTimes) -> float:
        if times.retires_at_ms is None:
            return float("inf")
        return times.retires_at_ms / 1000 + self._to_wall_clock_s


def _jwk_set(keys: Sequence[OpenedKey], max_age_s: int) -> JwkSet:
    public = sorted(
        (key.public_jwk for key in keys if key.public_jwk is not None), key=lambda jwk: jwk["kid"]
    )
    body = _encode({"keys": public})
    return JwkSet(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', max_age_s)


def _header(key: OpenedKey, type_: str) -> bytes:
    signing = key.signing
    return _to_base64url(_encode({"alg": signing.algorithm, "kid": signing.kid, "typ": type_}))


def _to_base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
