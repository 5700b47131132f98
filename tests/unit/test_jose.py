"""Keys and access tokens: what we sign is accepted, and nothing else is (RFC 8725)."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from edge.reasons import Reason
from edge.tokens.claims import AccessClaims, ClaimsPolicy
from edge.tokens.jose import ALGORITHM, KeyRing, KeySealer
from edge.tokens.refresh_token import RefreshTokenCodec
from edge.tokens.signing_key import SealedKey
from tests.support.fakes import NOW_S, make_claims
from tests.support.secrets import remember

POLICY: Final = ClaimsPolicy(issuer="https://edge.test", audience="edge", leeway_s=5)
SEALER: Final = KeySealer(b"s" * 32)
SEALED: Final = SEALER.generate()
KEY: Final = SEALER.open(SEALED)
STRANGER: Final = SEALER.open(SEALER.generate())
CLAIMS: Final = make_claims(roles=("user",), scope="profile")


def make_ring(*keys: ECKey) -> KeyRing:
    ring = KeyRing(POLICY)
    ring.load(keys)
    return ring


RING: Final = make_ring(KEY)
TOKEN: Final = RING.sign(CLAIMS)
remember(TOKEN)


# A signer of our own, which signs whatever it is given.


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private_part(key: ECKey) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.as_pem(private=True), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


def es256(signed: bytes, key: ECKey = KEY) -> bytes:
    der = private_part(key).sign(signed, ec.ECDSA(hashes.SHA256()))
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))


def forge(
    header: object = None,
    payload: object = None,
    *,
    sign: Callable[[bytes], bytes] = es256,
    **members: object,
) -> str:
    """Make a token; `members` change the right header, None takes one away."""
    right = {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt", **members}
    if header is None:
        header = {name: value for name, value in right.items() if value is not None}
    parts = [_as_bytes(header), _as_bytes(CLAIMS if payload is None else payload)]
    signed = ".".join(map(encode, parts))
    return f"{signed}.{encode(sign(signed.encode()))}"


def _as_bytes(document: object) -> bytes:
    return document if isinstance(document, bytes) else msgspec.json.encode(document)


def with_claim(name: str, value: object) -> str:
    """Make a well-signed token with one claim changed; `...` takes it away."""
    claims = {**msgspec.to_builtins(CLAIMS), name: value}
    if value is ...:
        del claims[name]
    return forge(payload=claims)


def with_raw_claim(name: str, value: bytes) -> str:
    claims = msgspec.to_builtins(CLAIMS)
    del claims[name]
    document = msgspec.json.encode(claims)[:-1] + f',"{name}":'.encode() + value + b"}"
    return forge(payload=document)


def public_pem() -> bytes:
    return KEY.as_pem(private=False)


def hs256_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.digest(secret, signed, "sha256")


def spell(header: str | None = None, payload: str | None = None, sig: str | None = None) -> str:
    """Give the good token with segments replaced."""
    segments = zip(TOKEN.split("."), (header, payload, sig), strict=True)
    return ".".join(right if other is None else other for right, other in segments)


HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
ATTACKER_JWK: Final = STRANGER.as_dict(private=False)


def test_a_token_of_ours_is_accepted() -> None:
    """What was signed is verified and read back."""
    assert RING.verify(TOKEN, NOW_S) == CLAIMS


def test_the_header_says_type_key_and_algorithm_only() -> None:
    """RFC 9068: `at+jwt`, our key's id and ES256."""
    assert msgspec.json.decode(decode(HEADER)) == {
        "alg": "ES256",
        "kid": KEY.kid,
        "typ": "at+jwt",
    }


def test_the_signer_of_these_tests_signs_as_edge_does() -> None:
    """A forged token with nothing changed is accepted, so each row below fails for its change."""
    assert RING.verify(forge(), NOW_S) == CLAIMS


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_the_type_may_be_written_out(typ: str) -> None:
    """RFC 9068 section 4: with or without `application/`, in any case."""
    assert RING.verify(forge(typ=typ), NOW_S) == CLAIMS


MALFORMED, SIGNATURE_INVALID = Reason.TOKEN_MALFORMED, Reason.SIGNATURE_INVALID
KEY_UNKNOWN, TYPE_MISMATCH = Reason.KEY_UNKNOWN, Reason.TYPE_MISMATCH

_ATTACKS: Final[list[tuple[str, str, Reason]]] = [
    # Algorithms.
    ("alg none, no signature", forge(alg="none", sign=lambda _: b""), MALFORMED),
    ("alg None", forge(alg="None", sign=lambda _: b""), MALFORMED),
    ("alg none, our signature", forge(alg="none"), MALFORMED),
    (
        "HS256 with the public key in PEM as secret",
        forge(alg="HS256", sign=hs256_with(public_pem())),
        MALFORMED,
    ),
    (
        "HS256 with the public key in JSON as secret",
        forge(alg="HS256", sign=hs256_with(msgspec.json.encode(KEY.as_dict(private=False)))),
        MALFORMED,
    ),
    ("HS256 with an empty secret", forge(alg="HS256", sign=hs256_with(b"")), MALFORMED),
    ("RS256", forge(alg="RS256"), MALFORMED),
    ("ES384", forge(alg="ES384"), MALFORMED),
    ("ES256K", forge(alg="ES256K"), MALFORMED),
    ("es256", forge(alg="es256"), MALFORMED),
    ("alg as a list", forge(alg=["ES256"]), MALFORMED),
    ("alg as an object", forge(alg={"ES256": 1}), MALFORMED),
    ("alg null", forge({"alg": None, "kid": KEY.kid, "typ": "at+jwt"}), MALFORMED),
    ("alg a number", forge(alg=256), MALFORMED),
    ("no alg", forge(alg=None), MALFORMED),
    # Types.
    ("typ JWT", forge(typ="JWT"), TYPE_MISMATCH),
    ("typ rt+jwt", forge(typ="rt+jwt"), TYPE_MISMATCH),
    ("typ dpop+jwt", forge(typ="dpop+jwt"), TYPE_MISMATCH),
    ("typ at+jwt with more behind it", forge(typ="at+jwt; v=1"), TYPE_MISMATCH),
    ("typ empty", forge(typ=""), TYPE_MISMATCH),
    ("typ twice application", forge(typ="application/application/at+jwt"), TYPE_MISMATCH),
    ("typ a list", forge(typ=["at+jwt"]), TYPE_MISMATCH),
    ("typ null", forge({"alg": "ES256", "kid": KEY.kid, "typ": None}), TYPE_MISMATCH),
    ("no typ", forge(typ=None), TYPE_MISMATCH),
    # Keys.
    ("no kid", forge(kid=None), KEY_UNKNOWN),
    ("unknown kid", forge(kid="unknown"), KEY_UNKNOWN),
    ("kid empty", forge(kid=""), KEY_UNKNOWN),
    ("kid a path", forge(kid="../../../../dev/null"), KEY_UNKNOWN),
    ("kid some SQL", forge(kid="' OR 1=1 --"), KEY_UNKNOWN),
    ("kid null", forge({"alg": "ES256", "kid": None, "typ": "at+jwt"}), KEY_UNKNOWN),
    ("kid a number", forge(kid=0), KEY_UNKNOWN),
    ("kid a list", forge(kid=[KEY.kid]), KEY_UNKNOWN),
    ("kid an object", forge(kid={"kid": KEY.kid}), KEY_UNKNOWN),
    ("kid in another case", forge(kid=str(KEY.kid).swapcase()), KEY_UNKNOWN),
    ("a stranger's key under our kid", forge(sign=lambda s: es256(s, STRANGER)), SIGNATURE_INVALID),
    (
        "a stranger's key under its own kid",
        forge(kid=STRANGER.kid, sign=lambda s: es256(s, STRANGER)),
        KEY_UNKNOWN,
    ),
    (
        "jwk with the attacker's key",
        forge(jwk=ATTACKER_JWK, sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    (
        "jwk with the attacker's key under our kid",
        forge(jwk={**ATTACKER_JWK, "kid": KEY.kid}, sign=lambda s: es256(s, STRANGER)),
        SIGNATURE_INVALID,
    ),
    (
        "jwk and no kid",
        forge(jwk=ATTACKER_JWK, kid=None, sign=lambda s: es256(s, STRANGER)),
        KEY_UNKNOWN,
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
    ("an unknown member", forge(evil=1), MALFORMED),
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
    ("header of 600 bytes", forge(cty="x" * 600), MALFORMED),
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
        for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "sid", "epoch")
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
    ("padded signature", spell(sig=SIGNATURE + "=="), SIGNATURE_INVALID),
    ("space before", f" {TOKEN}", MALFORMED),
    ("line break behind", f"{TOKEN}\n", SIGNATURE_INVALID),
    ("outside ASCII", spell(sig="\u00e9" * 86), MALFORMED),
    ("lone surrogate", spell(sig="\ud800"), MALFORMED),
    ("NUL", spell(sig="\0" * 86), SIGNATURE_INVALID),
    # Tampering.
    ("no signature", spell(sig=""), SIGNATURE_INVALID),
    ("short signature", spell(sig=SIGNATURE[:-2]), SIGNATURE_INVALID),
    ("long signature", spell(sig=SIGNATURE + "AA"), SIGNATURE_INVALID),
    ("signature of zeros", spell(sig=encode(bytes(64))), SIGNATURE_INVALID),
    (
        "signature in DER",
        forge(sign=lambda s: private_part(KEY).sign(s, ec.ECDSA(hashes.SHA256()))),
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
    assert RING.verify(token, NOW_S) is reason


def test_no_changed_character_goes_unnoticed() -> None:
    """A good token with any one character changed is no token, whatever the change."""
    for at, right in enumerate(TOKEN):
        for wrong in "Ax_-0.=+/ \n":
            if wrong != right:
                changed = TOKEN[:at] + wrong + TOKEN[at + 1 :]
                assert isinstance(RING.verify(changed, NOW_S), Reason), changed


@given(st.text(st.characters(), max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    """Any text is refused quietly."""
    assert isinstance(RING.verify(text, NOW_S), Reason)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_MEMBERS = st.sampled_from(
    ["alg", "kid", "typ", "crit", "jwk", "jku", "x5c", "x5u", "cty", "b64", "zip", "enc"]
)


@given(
    st.dictionaries(_MEMBERS, _JSON | st.sampled_from(["ES256", "none", "at+jwt", KEY.kid]))
    | st.lists(_MEMBERS)
    | _JSON,
    st.binary(max_size=80),
)
def test_no_header_makes_it_fail(header: Any, signature: bytes) -> None:  # noqa: ANN401  # any JSON
    """Whatever JSON stands in the header, the answer is a reason."""
    token = forge(_python_json(header), sign=lambda _: signature)
    assert isinstance(RING.verify(token, NOW_S), Reason)


@given(st.dictionaries(st.sampled_from(list(msgspec.to_builtins(CLAIMS))), _JSON) | _JSON)
def test_no_payload_makes_it_fail(payload: Any) -> None:  # noqa: ANN401  # any JSON
    """Whatever JSON our own key has signed, the answer is claims or a reason."""
    verified = RING.verify(forge(payload=_python_json(payload)), NOW_S)
    assert isinstance(verified, Reason | AccessClaims)


def _python_json(document: object) -> bytes:
    """Encode as lenient producers do: NaN, infinities and lone surrogates too."""
    return json.dumps(document).encode()


# Keys.


def test_a_sealed_key_opens_under_the_same_secret_key() -> None:
    """A key that was made, sealed and opened signs and is named by its thumbprint."""
    sealed = SEALER.generate()
    opened = KeySealer(b"s" * 32).open(sealed)
    assert sealed.algorithm == ALGORITHM
    assert sealed.kid == opened.kid == opened.thumbprint()
    assert make_ring(opened).verify(make_ring(opened).sign(CLAIMS), NOW_S) == CLAIMS


def test_two_keys_are_never_the_same() -> None:
    """Each key that is made is another one."""
    assert len({SEALER.generate().kid for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "sealed",
    [
        pytest.param(msgspec.structs.replace(SEALED, kid="another"), id="kid of another row"),
        pytest.param(msgspec.structs.replace(SEALED, sealed_key=""), id="empty"),
        pytest.param(msgspec.structs.replace(SEALED, sealed_key="a.b.c.d.e"), id="junk"),
        pytest.param(msgspec.structs.replace(SEALED, sealed_key="not a jwe"), id="no JWE"),
        pytest.param(msgspec.structs.replace(SEALED, sealed_key="\u00e9"), id="outside ASCII"),
        pytest.param(
            msgspec.structs.replace(SEALED, sealed_key=SEALED.sealed_key[:-1]), id="cut off"
        ),
        pytest.param(
            msgspec.structs.replace(SEALED, sealed_key=SEALER.generate().sealed_key),
            id="another key under this kid",
        ),
        pytest.param(
            msgspec.structs.replace(
                SEALED,
                sealed_key=".".join([encode(b'["alg"]'), *SEALED.sealed_key.split(".")[1:]]),
            ),
            id="header a list",
        ),
    ],
)
def test_a_row_that_is_not_the_key_it_claims_is_an_error(sealed: SealedKey) -> None:
    """A changed, cut or swapped sealed key raises ValueError, which names the key and no secret."""
    with pytest.raises(ValueError, match="signing key") as error:
        SEALER.open(sealed)
    assert sealed.kid in str(error.value)


def test_another_secret_key_opens_nothing() -> None:
    """Under another secret key the error says which variable is to blame."""
    for other in (b"t" * 32, b"s" * 31 + b"t"):
        with pytest.raises(ValueError, match="EDGE_SECRET_KEY"):
            KeySealer(other).open(SEALED)


def test_a_sealed_key_shows_nothing_of_the_key() -> None:
    """What is stored holds neither the private part nor a document that has it."""
    private = KEY.as_dict(private=True)["d"]
    assert isinstance(private, str)
    assert private not in SEALED.sealed_key
    assert all(private.encode() not in decode(part) for part in SEALED.sealed_key.split("."))


def test_the_key_set_has_public_members_only() -> None:
    """Others get what they verify with: no `d`, for any number of keys."""
    keys = make_ring(KEY, STRANGER).public_jwks()["keys"]
    assert [key["kid"] for key in keys] == [KEY.kid, STRANGER.kid]
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")


def test_others_can_verify_with_the_key_set() -> None:
    """A verifier that knows only the key set accepts our signature."""
    (jwk,) = RING.public_jwks()["keys"]
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(decode(jwk["x"]), "big"),
        int.from_bytes(decode(jwk["y"]), "big"),
        ec.SECP256R1(),
    )
    raw = decode(SIGNATURE)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    numbers.public_key().verify(der, f"{HEADER}.{PAYLOAD}".encode(), ec.ECDSA(hashes.SHA256()))


def test_the_first_key_signs_and_all_verify() -> None:
    """Tokens of every loaded key are good, and new ones are signed by the first."""
    both = make_ring(STRANGER, KEY)
    assert both.verify(TOKEN, NOW_S) == CLAIMS
    assert msgspec.json.decode(decode(both.sign(CLAIMS).split(".")[0]))["kid"] == STRANGER.kid
    assert RING.verify(both.sign(CLAIMS), NOW_S) is KEY_UNKNOWN


def test_one_key_does_not_vouch_for_another() -> None:
    """A token signed by one loaded key under the id of the other is refused."""
    both = make_ring(KEY, STRANGER)
    assert both.verify(forge(kid=STRANGER.kid), NOW_S) is SIGNATURE_INVALID


def test_a_key_that_was_unloaded_is_unknown() -> None:
    """Loading replaces all keys."""
    ring = make_ring(KEY)
    ring.load([STRANGER])
    assert ring.verify(TOKEN, NOW_S) is KEY_UNKNOWN


def test_without_keys_nothing_is_signed_or_verified() -> None:
    """A ring that has not been loaded says so, refuses every token and signs none."""
    ring = KeyRing(POLICY)
    assert not ring.is_loaded
    assert RING.is_loaded
    assert ring.public_jwks() == {"keys": []}
    assert ring.verify(TOKEN, NOW_S) is KEY_UNKNOWN
    with pytest.raises(RuntimeError):
        ring.sign(CLAIMS)
