"""Keys and access tokens: what we sign is accepted, and nothing else is (RFC 8725)."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, VerifiedToken
from edge.tokens.jose.sealing import KeySealer
from edge.tokens.key_ring import KeyRing
from edge.tokens.keys import ALGORITHMS, Algorithm
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.signing_key import OpenedKey
from edge.tokens.strict_json import read_members
from edge.tokens.verifier import Verifier
from tests.support.fakes import NOW_S, make_claims
from tests.support.keys import ring_of
from tests.support.secrets import remember

POLICY: Final = ClaimsPolicy(issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=5)
SEALER: Final = KeySealer([b"s" * 32])
SEALED: Final = SEALER.generate("ES256")
KEY: Final = SEALER.open(SEALED)
KID: Final = KEY.signing.kid
STRANGER: Final = SEALER.open(SEALER.generate("ES256"))
CLAIMS: Final = make_claims(roles=("user",), scope="profile")


ACCEPTED: Final = OwnTokens(POLICY).accept(CLAIMS, b"", inf)


def make_verifier(*keys: OpenedKey) -> Verifier:
    verifier = Verifier([OwnTokens(POLICY)], most_remembered=100)
    verifier.replace_keys(POLICY.issuer, [key.verifying for key in keys])
    return verifier


def make_ring(*keys: OpenedKey) -> KeyRing:
    return ring_of(make_verifier(), POLICY.issuer, keys, clock=lambda: NOW_S)


VERIFIER: Final = make_verifier(KEY)
TOKEN: Final = make_ring(KEY).sign(CLAIMS)
remember(TOKEN)


def verify(token: str, now_s: float = NOW_S) -> VerifiedToken | Reason:
    return VERIFIER.verify(token.encode("utf-8", "surrogatepass"), now_s)


# A signer of our own, which signs whatever it is given.


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def es256(signed: bytes, key: OpenedKey = KEY) -> bytes:
    return key.signing.sign(signed)


def to_der(signature: bytes) -> bytes:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return encode_dss_signature(r, s)


def forge(
    header: object = None,
    payload: object = None,
    *,
    sign: Callable[[bytes], bytes] = es256,
    **members: object,
) -> str:
    """Make a token; `members` change the right header, None takes one away."""
    right = {"alg": "ES256", "kid": KID, "typ": "at+jwt", **members}
    if header is None:
        header = {name: value for name, value in right.items() if value is not None}
    parts = [_as_bytes(header), _as_bytes(CLAIMS if payload is None else payload)]
    signed = ".".join(map(encode, parts))
    return f"{signed}.{encode(sign(signed.encode()))}"


def _as_bytes(document: object) -> bytes:
    return document if isinstance(document, bytes) else msgspec.json.encode(document)


RIGHT: Final = {"alg": "ES256", "kid": KID, "typ": "at+jwt"}


def _with_an_old_exp_first(member: bytes) -> bytes:
    """Give claims that are good to who reads the last of two members, and old to others."""
    return b"{" + member + _as_bytes(CLAIMS)[1:]


def with_claim(name: str, value: object) -> str:
    """Make a well-signed token with one claim changed; `...` takes it away."""
    claims = {**msgspec.to_builtins(CLAIMS), name: value}
    if value is ...:
        del claims[name]
    return forge(payload=claims)


def with_raw_claim(name: str, value: bytes) -> str:
    claims = msgspec.to_builtins(CLAIMS)
    claims.pop(name, None)
    document = msgspec.json.encode(claims)[:-1] + f',"{name}":'.encode() + value + b"}"
    return forge(payload=document)


def public_pem() -> bytes:
    return ECKey.import_key(KEY.public_jwk or {}).as_pem(private=False)


def hs256_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(secret, signed, "sha256")


def spell(header: str | None = None, payload: str | None = None, sig: str | None = None) -> str:
    """Give the good token with segments replaced."""
    segments = zip(TOKEN.split("."), (header, payload, sig), strict=True)
    return ".".join(right if other is None else other for right, other in segments)


HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
ATTACKER_JWK: Final = STRANGER.public_jwk or {}


def test_a_token_of_ours_is_accepted() -> None:
    """What was signed is verified and read back."""
    assert verify(TOKEN) == ACCEPTED


def test_the_header_says_type_key_and_algorithm_only() -> None:
    """RFC 9068: `at+jwt`, our key's id and ES256."""
    assert msgspec.json.decode(decode(HEADER)) == {
        "alg": "ES256",
        "kid": KID,
        "typ": "at+jwt",
    }


def test_the_signer_of_these_tests_signs_as_edge_does() -> None:
    """A forged token with nothing changed is accepted, so each row below fails for its change."""
    assert verify(forge()) == ACCEPTED


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_the_type_may_be_written_out(typ: str) -> None:
    """RFC 9068 section 4: with or without `application/`, in any case."""
    assert verify(forge(typ=typ)) == ACCEPTED


MALFORMED, SIGNATURE_INVALID = Reason.TOKEN_MALFORMED, Reason.SIGNATURE_INVALID
ALGORITHM: Final = Reason.ALGORITHM_MISMATCH
KEY_UNKNOWN, TYPE_MISMATCH = Reason.KEY_UNKNOWN, Reason.TYPE_MISMATCH

_ATTACKS: Final[list[tuple[str, str, Reason]]] = [
    # Algorithms.
    ("alg none, no signature", forge(alg="none", sign=lambda _: b""), ALGORITHM),
    ("alg None", forge(alg="None", sign=lambda _: b""), ALGORITHM),
    ("alg none, our signature", forge(alg="none"), ALGORITHM),
    (
        "HS256 with the public key in PEM as secret",
        forge(alg="HS256", sign=hs256_with(public_pem())),
        ALGORITHM,
    ),
    (
        "HS256 with the public key in JSON as secret",
        forge(alg="HS256", sign=hs256_with(msgspec.json.encode(KEY.public_jwk))),
        ALGORITHM,
    ),
    ("HS256 with an empty secret", forge(alg="HS256", sign=hs256_with(b"")), ALGORITHM),
    ("RS256", forge(alg="RS256"), ALGORITHM),
    ("ES384", forge(alg="ES384"), ALGORITHM),
    ("ES256K", forge(alg="ES256K"), ALGORITHM),
    ("es256", forge(alg="es256"), ALGORITHM),
    ("alg as a list", forge(alg=["ES256"]), MALFORMED),
    ("alg as an object", forge(alg={"ES256": 1}), MALFORMED),
    ("alg null", forge({"alg": None, "kid": KID, "typ": "at+jwt"}), MALFORMED),
    ("alg a number", forge(alg=256), MALFORMED),
    ("no alg", forge(alg=None), MALFORMED),
    # Types.
    ("typ JWT", forge(typ="JWT"), TYPE_MISMATCH),
    ("typ rt+jwt", forge(typ="rt+jwt"), TYPE_MISMATCH),
    ("typ dpop+jwt", forge(typ="dpop+jwt"), TYPE_MISMATCH),
    ("typ at+jwt with more behind it", forge(typ="at+jwt; v=1"), TYPE_MISMATCH),
    ("typ empty", forge(typ=""), TYPE_MISMATCH),
    ("typ twice application", forge(typ="application/application/at+jwt"), TYPE_MISMATCH),
    ("typ a list", forge(typ=["at+jwt"]), MALFORMED),
    ("typ null", forge({"alg": "ES256", "kid": KID, "typ": None}), MALFORMED),
    ("no typ", forge(typ=None), TYPE_MISMATCH),
    # Keys.
    ("no kid", forge(kid=None), MALFORMED),
    ("unknown kid", forge(kid="unknown"), KEY_UNKNOWN),
    ("kid empty", forge(kid=""), KEY_UNKNOWN),
    ("kid a path", forge(kid="../../../../dev/null"), KEY_UNKNOWN),
    ("kid some SQL", forge(kid="' OR 1=1 --"), KEY_UNKNOWN),
    ("kid null", forge({"alg": "ES256", "kid": None, "typ": "at+jwt"}), MALFORMED),
    ("kid a number", forge(kid=0), MALFORMED),
    ("kid a list", forge(kid=[KID]), MALFORMED),
    ("kid an object", forge(kid={"kid": KID}), MALFORMED),
    ("kid in another case", forge(kid=str(KID).swapcase()), KEY_UNKNOWN),
    ("a stranger's key under our kid", forge(sign=lambda s: es256(s, STRANGER)), SIGNATURE_INVALID),
    (
        "a stranger's key under its own kid",
        forge(kid=STRANGER.signing.kid, sign=lambda s: es256(s, STRANGER)),
        KEY_UNKNOWN,
    ),
    (
        "jwk with the attacker's key",
        forge(jwk=ATTACKER_JWK, sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    (
        "jwk with the attacker's key under our kid",
        forge(jwk={**ATTACKER_JWK, "kid": KID}, sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    (
        "jwk and no kid",
        forge(jwk=ATTACKER_JWK, kid=None, sign=lambda s: es256(s, STRANGER)),
        MALFORMED,
    ),
    (
        "jku",
        forge(jku="https://evil.test/jwks", sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    (
        "x5u",
        forge(x5u="https://evil.test/cert", sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    ("x5c", forge(x5c=["AAAA"], sign=lambda s: es256(s, STRANGER)), SIGNATURE_INVALID),
    # Critical members (RFC 7515 section 4.1.11).
    ("crit of something unknown", forge(crit=["exp"], exp=1), MALFORMED),
    ("crit of something not there", forge(crit=["cty"]), MALFORMED),
    ("crit no list", forge(crit="exp", exp=1), MALFORMED),
    ("b64", forge(b64=False), MALFORMED),
    # Members twice (RFC 8725 section 2.6).
    ("kid twice", forge(b'{"kid":"x",' + _as_bytes(RIGHT)[1:]), MALFORMED),
    ("kid twice, the last one unknown", forge(_as_bytes(RIGHT)[:-1] + b',"kid":"x"}'), KEY_UNKNOWN),
    ("twice inside the header", forge(_as_bytes(RIGHT)[:-1] + b',"x":{"a":1,"a":2}}'), MALFORMED),
    ("jwk null", forge(_as_bytes(RIGHT)[:-1] + b',"jwk":null}'), MALFORMED),
    ("exp twice", forge(payload=_with_an_old_exp_first(b'"exp":1,')), MALFORMED),
    ("exp twice, spaced", forge(payload=_with_an_old_exp_first(b' "exp" : 1 ,')), MALFORMED),
    ("exp twice, escaped", forge(payload=_with_an_old_exp_first(b'"\\u0065xp":1,')), MALFORMED),
    (
        "exp twice, the last one old",
        forge(payload=_as_bytes(CLAIMS)[:-1] + b',"exp":1}'),
        Reason.TOKEN_EXPIRED,
    ),
    ("twice inside", forge(payload=_as_bytes(CLAIMS)[:-1] + b',"x":{"a":1,"a":2}}'), MALFORMED),
    # Headers that are no headers.
    ("header a list", forge(b'["alg"]'), MALFORMED),
    ("header a string", forge(b'"alg"'), MALFORMED),
    ("header a list with all the names", forge(b'["alg","kid","typ"]'), MALFORMED),
    ("header null", forge(b"null"), MALFORMED),
    ("header a number", forge(b"1"), MALFORMED),
    ("header empty", forge(b""), MALFORMED),
    ("header no JSON", forge(b"{"), MALFORMED),
    ("header no UTF-8", forge(b'{"alg":"\xff"}'), MALFORMED),
    ("header nested deep", forge(b'{"alg":' + b"[" * 370), MALFORMED),
    ("header of 4 KiB", forge(cty="x" * 4000), MALFORMED),
    # Times, seen from NOW_S with 5 s of leeway.
    ("expired", with_claim("exp", NOW_S - 5), Reason.TOKEN_EXPIRED),
    ("expired long ago", with_claim("exp", 0), Reason.TOKEN_EXPIRED),
    ("nbf in the future", with_claim("nbf", NOW_S + 6), Reason.TOKEN_NOT_YET_VALID),
    ("iat in the future", with_claim("iat", NOW_S + 6), Reason.TOKEN_NOT_YET_VALID),
    ("exp NaN", with_raw_claim("exp", b"NaN"), MALFORMED),
    ("exp Infinity", with_raw_claim("exp", b"Infinity"), MALFORMED),
    ("exp 1e999", with_raw_claim("exp", b"1e999"), MALFORMED),
    ("exp true", with_raw_claim("exp", b"true"), MALFORMED),
    ("exp a string", with_claim("exp", str(NOW_S + 900)), MALFORMED),
    ("exp a fraction", with_claim("exp", NOW_S + 900.5), MALFORMED),
    ("exp null", with_claim("exp", None), MALFORMED),
    ("exp negative", with_claim("exp", -1), MALFORMED),
    ("exp beyond the calendar", with_claim("exp", 10**15), MALFORMED),
    ("exp of 400 digits", with_raw_claim("exp", b"9" * 400), MALFORMED),
    ("iat NaN", with_raw_claim("iat", b"NaN"), MALFORMED),
    ("nbf true", with_raw_claim("nbf", b"true"), MALFORMED),
    # Issuer and audience.
    ("wrong iss", with_claim("iss", "https://evil.test"), Reason.ISSUER_UNKNOWN),
    ("iss with a slash", with_claim("iss", "https://edge.test/"), Reason.ISSUER_UNKNOWN),
    ("wrong aud", with_claim("aud", "other"), Reason.AUDIENCE_MISMATCH),
    ("wrong auds", with_claim("aud", ["other", "another"]), Reason.AUDIENCE_MISMATCH),
    ("no auds", with_claim("aud", []), Reason.AUDIENCE_MISMATCH),
    ("aud an object", with_claim("aud", {"edge": 1}), MALFORMED),
    # Claims that lack.
    *(
        (f"no {name}", with_claim(name, ...), MALFORMED)
        for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "epoch")
    ),
    ("sub empty", with_claim("sub", ""), MALFORMED),
    ("epoch a string", with_claim("epoch", "0"), MALFORMED),
    # Payloads that are no claims.
    ("payload a list", forge(payload=[msgspec.to_builtins(CLAIMS)]), MALFORMED),
    ("payload a string", forge(payload="claims"), MALFORMED),
    ("payload null", forge(payload=b"null"), MALFORMED),
    ("payload empty", forge(payload=b""), MALFORMED),
    ("payload no JSON", forge(payload=b"{"), MALFORMED),
    ("payload no UTF-8", forge(payload=b'{"iss":"\xff"}'), MALFORMED),
    ("payload nested deep", forge(payload=b'{"iss":' + b"[" * 5000), MALFORMED),
    ("payload with more behind it", forge(payload=_as_bytes(CLAIMS) + b"{}"), MALFORMED),
    # Forms.
    ("nothing", "", MALFORMED),
    ("one dot", f"{HEADER}.{PAYLOAD}", MALFORMED),
    ("no dots", HEADER, MALFORMED),
    ("three dots", f"{TOKEN}.", MALFORMED),
    ("five segments, as a JWE has", f"{HEADER}..{PAYLOAD}.{SIGNATURE}.x", MALFORMED),
    ("only dots", "..", MALFORMED),
    ("9 KiB", spell(sig="A" * 9 * 1024), MALFORMED),
    ("9 KiB and well signed", with_claim("scope", "x" * 9 * 1024), MALFORMED),
    ("a thousand dots", "." * 1000, MALFORMED),
    ("padded header", spell(header=HEADER + "="), MALFORMED),
    ("padded payload", spell(payload=PAYLOAD + "="), MALFORMED),
    ("padded signature", spell(sig=SIGNATURE + "=="), MALFORMED),
    ("space before", f" {TOKEN}", MALFORMED),
    ("line break behind", f"{TOKEN}\n", MALFORMED),
    ("outside ASCII", spell(sig="\u00e9" * 86), MALFORMED),
    ("lone surrogate", spell(sig="\ud800"), MALFORMED),
    ("NUL", spell(sig="\0" * 86), MALFORMED),
    # Tampering.
    ("no signature", spell(sig=""), SIGNATURE_INVALID),
    ("short signature", spell(sig=SIGNATURE[:-2]), SIGNATURE_INVALID),
    ("long signature", spell(sig=SIGNATURE + "AA"), SIGNATURE_INVALID),
    ("signature of zeros", spell(sig=encode(bytes(64))), SIGNATURE_INVALID),
    (
        "signature in DER",
        forge(sign=lambda s: to_der(es256(s))),
        SIGNATURE_INVALID,
    ),
    (
        "signature of another token",
        spell(sig=with_claim("jti", "x").split(".")[2]),
        SIGNATURE_INVALID,
    ),
    (
        "more roles",
        spell(payload=encode(_as_bytes(make_claims(roles=("admin",))))),
        SIGNATURE_INVALID,
    ),
    (
        "header written differently",
        spell(header=encode(decode(HEADER).replace(b":", b": ", 1))),
        SIGNATURE_INVALID,
    ),
    # Other tokens of ours.
    (
        "a refresh token",
        RefreshTokenCodec(mac_key=b"m" * 32, key_id=b"kkkk").make(UUID(int=2), 1, b"s" * 16),
        MALFORMED,
    ),
    ("a sealed key", SEALED.sealed_key, MALFORMED),
]


@pytest.mark.parametrize(
    ("token", "reason"),
    [pytest.param(token, reason, id=name) for name, token, reason in _ATTACKS],
)
def test_nothing_else_is_accepted(token: str, reason: Reason) -> None:
    """One row an attack: each is refused, for its own reason, without an error."""
    assert verify(token) is reason


def test_no_changed_character_goes_unnoticed() -> None:
    """A good token with any one character changed is no token, whatever the change."""
    for at, right in enumerate(TOKEN):
        for wrong in "Ax_-0.=+/ \n":
            if wrong != right:
                changed = TOKEN[:at] + wrong + TOKEN[at + 1 :]
                assert isinstance(verify(changed), Reason), changed


@given(st.text(st.characters(), max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    """Any text is refused quietly."""
    assert isinstance(verify(text), Reason)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_MEMBERS = st.sampled_from(
    ["alg", "kid", "typ", "crit", "jwk", "jku", "x5c", "x5u", "cty", "b64", "zip", "enc"]
)


@given(
    st.dictionaries(_MEMBERS, _JSON | st.sampled_from(["ES256", "none", "at+jwt", KID]))
    | st.lists(_MEMBERS)
    | _JSON,
    st.binary(max_size=80),
)
def test_no_header_makes_it_fail(header: Any, signature: bytes) -> None:  # noqa: ANN401  # any JSON
    """Whatever JSON stands in the header, the answer is a reason."""
    token = forge(_python_json(header), sign=lambda _: signature)
    assert isinstance(verify(token), Reason)


@given(st.dictionaries(st.sampled_from(list(msgspec.to_builtins(CLAIMS))), _JSON) | _JSON)
def test_no_payload_makes_it_fail(payload: Any) -> None:  # noqa: ANN401  # any JSON
    """Whatever JSON our own key has signed, the answer is claims or a reason."""
    verified = verify(forge(payload=_python_json(payload)))
    assert isinstance(verified, Reason | VerifiedToken)


def _python_json(document: object) -> bytes:
    """Encode as lenient producers do: NaN, infinities and lone surrogates too."""
    return json.dumps(document).encode()


@pytest.mark.parametrize("member", ["jku", "x5u", "cty", "zip", "private"])
def test_members_nobody_needs_are_ignored(member: str) -> None:
    """RFC 7515 section 4: what is not understood is ignored, unless it is critical."""
    assert verify(forge({**RIGHT, member: "https://example.com"})) == ACCEPTED


def test_what_edge_did_not_write_is_looked_at_closely() -> None:
    """Unknown claims, white space, escapes and more than ASCII are read all the same."""
    document = _as_bytes(CLAIMS)
    for payload in (
        document[:-1] + b',"email":"x@example.com","nested":{"a":{"b":[1,2]}}}',
        document.replace(b",", b" ,\n").replace(b":", b"\t: ", 1),
        document[:-1] + b',"name":"Zo\\u00eb \\"\\\\"}',
        document[:-1] + ',"name":"Zo\u00eb"}'.encode(),
        document.replace(b'"jti"', b'"\\u006ati"'),
    ):
        assert verify(forge(payload=payload)) == ACCEPTED
    assert verify(forge(payload=document[:-1] + b',"name":"\xff"}')) is MALFORMED


# What is remembered.


def counting(key: OpenedKey, calls: list[bytes]) -> OpenedKey:
    """Give the key with each check of a signature noted."""

    def check(signed: bytes, signature: bytes) -> bool:
        calls.append(signature)
        return key.verifying.verify(signed, signature)

    return msgspec.structs.replace(
        key, verifying=msgspec.structs.replace(key.verifying, verify=check)
    )


def counting_verifier(most_remembered: int, calls: list[bytes]) -> Verifier:
    verifier = Verifier([OwnTokens(POLICY)], most_remembered=most_remembered)
    verifier.replace_keys(POLICY.issuer, [counting(KEY, calls).verifying])
    return verifier


def good_tokens(count: int) -> list[bytes]:
    return [forge(payload=make_claims(jti=f"token-{number}")).encode() for number in range(count)]


def test_a_token_that_held_is_not_checked_twice() -> None:
    """The second look at a token costs no signature check, and gives the same."""
    calls: list[bytes] = []
    verifier = counting_verifier(100, calls)
    assert verifier.recall(TOKEN.encode(), NOW_S) is None
    assert [verifier.verify(TOKEN.encode(), NOW_S) for _ in range(3)] == [ACCEPTED] * 3
    assert verifier.recall(TOKEN.encode(), NOW_S) == ACCEPTED
    assert len(calls) == 1


def test_what_is_remembered_dies_with_the_token() -> None:
    """A remembered token is refused from its expiry and the leeway on."""
    verifier = make_verifier(KEY)
    end = CLAIMS.exp + POLICY.leeway_s
    assert verifier.verify(TOKEN.encode(), NOW_S) == ACCEPTED
    assert verifier.verify(TOKEN.encode(), end - 0.001) == ACCEPTED
    assert verifier.recall(TOKEN.encode(), end - 0.001) == ACCEPTED
    assert verifier.recall(TOKEN.encode(), end) is None
    assert verifier.verify(TOKEN.encode(), end) is Reason.TOKEN_EXPIRED


def test_what_is_remembered_dies_with_the_key() -> None:
    """A remembered token is refused from the moment its key retires."""
    retiring = msgspec.structs.replace(KEY.verifying, retires_at_s=NOW_S + 10)
    verifier = Verifier([OwnTokens(POLICY)], most_remembered=100)
    verifier.replace_keys(POLICY.issuer, [retiring])
    until_then = msgspec.structs.replace(ACCEPTED, good_until_s=NOW_S + 10)
    assert verifier.verify(TOKEN.encode(), NOW_S + 9.999) == until_then
    assert verifier.recall(TOKEN.encode(), NOW_S + 10) is None
    assert verifier.verify(TOKEN.encode(), NOW_S + 10) is KEY_UNKNOWN


def test_all_is_forgotten_when_a_key_goes() -> None:
    """A key that leaves the set empties the memory; one that only comes does not."""
    calls: list[bytes] = []
    verifier = counting_verifier(100, calls)
    key = counting(KEY, calls).verifying
    verifier.verify(TOKEN.encode(), NOW_S)
    verifier.replace_keys(POLICY.issuer, [key, STRANGER.verifying])
    assert verifier.verify(TOKEN.encode(), NOW_S) == ACCEPTED
    assert len(calls) == 1
    verifier.replace_keys(POLICY.issuer, [key])
    assert verifier.recall(TOKEN.encode(), NOW_S) is None
    assert verifier.verify(TOKEN.encode(), NOW_S) == ACCEPTED
    assert len(calls) == 2


def test_another_key_under_the_same_kid_empties_the_memory() -> None:
    """Tokens of a key that was replaced under its own name die with it."""
    verifier = make_verifier(KEY)
    verifier.verify(TOKEN.encode(), NOW_S)
    verifier.replace_keys(POLICY.issuer, [msgspec.structs.replace(STRANGER.verifying, kid=KID)])
    assert verifier.verify(TOKEN.encode(), NOW_S) is SIGNATURE_INVALID


def test_another_algorithm_for_the_same_key_empties_the_memory() -> None:
    """A key is good for one algorithm: with another one, what it signed before counts no more."""
    verifier = make_verifier(KEY)
    verifier.verify(TOKEN.encode(), NOW_S)
    changed = msgspec.structs.replace(KEY.verifying, algorithm="ES384")
    verifier.replace_keys(POLICY.issuer, [changed])
    assert verifier.verify(TOKEN.encode(), NOW_S) is ALGORITHM


def _slow(bytes_long: int) -> bytes:
    """Give good claims and many objects, which take long to search for repeated members."""
    document = _as_bytes(CLAIMS)[:-1] + b',"x":['
    return document + b",".join([b"{}"] * ((bytes_long - len(document)) // 3)) + b"]}"


_SLOW_PAYLOAD: Final = _slow(5700)
_SLOW_HEADER: Final = _as_bytes(RIGHT)[:-1] + b',"x":[' + b",".join([b"{}"] * 900) + b"]}"
# By what is wrong: a token of which nobody needs to see more than that to refuse it.
_FLOODS: Final[Mapping[str, tuple[str, Reason]]] = {
    "expired": (with_claim("exp", 1), Reason.TOKEN_EXPIRED),
    "not yet valid": (with_claim("nbf", NOW_S + 900), Reason.TOKEN_NOT_YET_VALID),
    "another audience": (with_claim("aud", "other"), Reason.AUDIENCE_MISMATCH),
    "an unknown issuer": (with_claim("iss", "https://evil.test"), Reason.ISSUER_UNKNOWN),
    "an unknown key": (forge(kid="x"), KEY_UNKNOWN),
    "an unknown key, slow payload": (forge(kid="x", payload=_SLOW_PAYLOAD), KEY_UNKNOWN),
    "an unknown key, slow header": (
        forge(_SLOW_HEADER.replace(str(KID).encode(), b"x"), b"{}"),
        KEY_UNKNOWN,
    ),
    "another algorithm": (forge(alg="none", payload=_SLOW_PAYLOAD), ALGORITHM),
    "another type": (forge(typ="JWT", payload=_SLOW_PAYLOAD), TYPE_MISMATCH),
    "expired, slow payload": (
        forge(payload=_SLOW_PAYLOAD[:-1] + b',"exp":1}'),
        Reason.TOKEN_EXPIRED,
    ),
    "no JSON": (forge(payload=b"{"), MALFORMED),
    "no base64": (spell(payload="*" * 400), MALFORMED),
    "too long": (spell(payload="A" * 9000), MALFORMED),
}


@pytest.mark.parametrize("name", _FLOODS)
def test_a_flood_of_bad_tokens_evicts_no_good_one(name: str, searched: list[bytes]) -> None:
    """Thousands of distinct ones leave what is remembered alone, and cost no signature check."""
    token, reason = _FLOODS[name]
    calls: list[bytes] = []
    verifier = counting_verifier(3, calls)
    good = good_tokens(3)
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    calls.clear()
    searched.clear()
    start = token.rpartition(".")[0].encode()
    for number in range(20_000):
        assert verifier.verify(b"%s.%086d" % (start, number * 100), NOW_S) is reason
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    assert (calls, searched) == ([], [])


@pytest.mark.no_cover  # does often what other tests do once
def test_a_flood_of_a_million_evicts_no_good_one() -> None:
    """A million distinct bad tokens leave what is remembered alone and cost no signature check."""
    calls: list[bytes] = []
    verifier = counting_verifier(3, calls)
    good = good_tokens(3)
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    calls.clear()
    expired = with_claim("exp", 1).rpartition(".")[0].encode()
    for number in range(1_000_000):
        bad = b"%s.%086d" % (expired, number * 100)
        assert verifier.verify(bad, NOW_S) is Reason.TOKEN_EXPIRED
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    assert calls == []


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note each document that is searched for repeated members."""
    documents: list[bytes] = []

    def search(document: bytes) -> object:
        documents.append(document)
        return read_members(document)

    monkeypatch.setattr("edge.tokens.verifier.read_members", search)
    return documents


def test_what_is_slow_waits_for_the_signature(searched: list[bytes]) -> None:
    """Repeated members are searched for when the signature held; others would pay us in time."""
    for token in (
        forge(payload=_SLOW_PAYLOAD, sign=lambda _: bytes(64)),
        forge(_SLOW_HEADER, sign=lambda _: bytes(64)),
    ):
        assert verify(token) is SIGNATURE_INVALID
    assert searched == []


def test_what_is_slow_is_done_in_the_end(searched: list[bytes]) -> None:
    """A header is searched when it is new, a payload unless it is plainly Edge's own."""
    verifier = make_verifier(KEY)
    strange = _as_bytes(CLAIMS)[:-1] + b',"x":{"a":1}}'
    for payload in (strange, _as_bytes(CLAIMS)):
        assert verifier.verify(forge(payload=payload).encode(), NOW_S) == ACCEPTED
    assert searched == [strange, _as_bytes(RIGHT)]


def test_bad_signatures_evict_no_good_token() -> None:
    """Tokens that fail only at the signature are not remembered either, nor their headers."""
    verifier = counting_verifier(3, [])
    good = good_tokens(3)
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    calls: list[bytes] = []
    verifier.replace_keys(POLICY.issuer, [counting(KEY, calls).verifying])
    for number in range(2_000):
        bad = forge(cty=str(number), sign=lambda _: bytes(64)).encode()
        assert verifier.verify(bad, NOW_S) is SIGNATURE_INVALID
    calls.clear()
    assert all(isinstance(verifier.verify(token, NOW_S), VerifiedToken) for token in good)
    assert calls == []


def test_the_memory_is_bounded_and_the_oldest_goes_first() -> None:
    """With room for two, the third good token takes the place of the first."""
    calls: list[bytes] = []
    verifier = counting_verifier(2, calls)
    first, second, third = good_tokens(3)
    for token in (first, second, third, third, second):
        verifier.verify(token, NOW_S)
    assert len(calls) == 3
    verifier.verify(first, NOW_S)
    assert len(calls) == 4


def test_nothing_is_remembered_without_room() -> None:
    """With no entries to hold, each look costs a check."""
    calls: list[bytes] = []
    verifier = counting_verifier(0, calls)
    assert [verifier.verify(TOKEN.encode(), NOW_S) for _ in range(2)] == [ACCEPTED] * 2
    assert len(calls) == 2


def test_keys_are_bound_to_their_issuer() -> None:
    """A key of one trusted issuer signs nothing for another, under whatever kid."""
    other = ClaimsPolicy(issuer="https://other.test", audiences=POLICY.audiences, leeway_s=5)
    verifier = Verifier([OwnTokens(POLICY), OwnTokens(other)], most_remembered=10)
    verifier.replace_keys(POLICY.issuer, [KEY.verifying])
    verifier.replace_keys(other.issuer, [STRANGER.verifying])
    for_other = make_claims(iss=other.issuer)
    assert verifier.verify(TOKEN.encode(), NOW_S) == ACCEPTED
    assert verifier.verify(forge(payload=for_other).encode(), NOW_S) is KEY_UNKNOWN
    own = forge(kid=STRANGER.signing.kid, sign=lambda s: es256(s, STRANGER), payload=for_other)
    assert isinstance(verifier.verify(own.encode(), NOW_S), VerifiedToken)


def test_issuers_may_name_their_keys_the_same() -> None:
    """Two trusted issuers with one `kid`: each token is held to the key of its own issuer."""
    other = ClaimsPolicy(issuer="https://other.test", audiences=POLICY.audiences, leeway_s=5)
    third = ClaimsPolicy(issuer="https://third.test", audiences=POLICY.audiences, leeway_s=5)
    policies = (POLICY, other, third)
    verifier = Verifier([OwnTokens(policy) for policy in policies], most_remembered=10)
    verifier.replace_keys(POLICY.issuer, [KEY.verifying])
    assert verifier.verify(TOKEN.encode(), NOW_S) == ACCEPTED  # its header is known from now on
    theirs = msgspec.structs.replace(STRANGER.verifying, kid=KID)
    verifier.replace_keys(other.issuer, [theirs])

    def verdict(issuer: str, key: OpenedKey) -> object:
        token = forge(payload=make_claims(iss=issuer, jti="x"), sign=lambda s: es256(s, key))
        return verifier.verify(token.encode(), NOW_S)

    for _ in range(2):
        assert isinstance(verdict(POLICY.issuer, KEY), VerifiedToken)
        assert isinstance(verdict(other.issuer, STRANGER), VerifiedToken)
        assert verdict(POLICY.issuer, STRANGER) is SIGNATURE_INVALID
        assert verdict(other.issuer, KEY) is SIGNATURE_INVALID
        assert verdict(third.issuer, KEY) is KEY_UNKNOWN
        assert verdict("https://evil.test", KEY) is Reason.ISSUER_UNKNOWN


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_signs_and_verifies(algorithm: Algorithm) -> None:
    """A token of each algorithm is accepted, and not with another token's signature."""
    key = SEALER.open(SEALER.generate(algorithm))
    verifier = make_verifier(key)
    ring = make_ring(key)
    first, second = (ring.sign(make_claims(jti=jti)) for jti in ("first", "second"))
    assert isinstance(verifier.verify(first.encode(), NOW_S), VerifiedToken)
    swapped = f"{first.rpartition('.')[0]}.{second.rpartition('.')[2]}"
    assert verifier.verify(swapped.encode(), NOW_S) is SIGNATURE_INVALID
