"""Published test vectors: Wycheproof and the examples of the JOSE RFCs, each mismatch explained."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import pytest

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, VerifiedToken
from edge.tokens.compact import decode_segment
from edge.tokens.jose.key_sets import key_set
from edge.tokens.jose.keys import verifying_key
from edge.tokens.keys import ALGORITHMS, KeyRefusedError, VerifyingKey
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.strict_json import read_members
from edge.tokens.verifier import Verifier
from tests.support.fakes import NOW_S, make_claims
from tests.support.vectors import vectors

# Where Edge says another thing than Wycheproof, and why. All are Wycheproof's own inconsistencies,
# named in the NOTICE beside the vectors.
EXPLAINED: Final[Mapping[int, str]] = {
    367: "byte-identical to the valid 357",
    370: "byte-identical to the valid 357",
    372: "called valid, though a `?` is no base64url",
    373: "called valid, though a `?` is no base64url",
    346: "the group's key is for PS256, the token says PS384",
    350: "the group's key is for PS256, the token says PS384",
}


def load(name: str) -> Any:  # noqa: ANN401  # JSON
    return json.loads(vectors(name).read_text())


def wycheproof(name: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Give each test with the JWK or JWK Set it is about."""
    for group in load(f"wycheproof/{name}.json")["testGroups"]:
        for test in group["tests"]:
            yield test, group.get("public") or group["private"]


class _Opaque(msgspec.Struct, frozen=True):
    iss: str
    payload: bytes


class _AnyPayload:
    """The `TokenReader` of the vectors, whose payloads are hardly ever claims."""

    policy = ClaimsPolicy(
        issuer="vectors", audiences=frozenset(), leeway_s=0, types=frozenset({"", "jwt"})
    )

    def decode(self, payload: bytes) -> _Opaque:
        return _Opaque(self.policy.issuer, payload)

    def encode(self, claims: _Opaque) -> bytes:
        return claims.payload

    def check(self, claims: _Opaque, now_s: float) -> None:
        pass

    def accept(self, claims: _Opaque, payload: bytes, key_retires_at_s: float) -> VerifiedToken:
        accepted = make_claims(iss=claims.iss)
        return OwnTokens(self.policy).accept(accepted, payload, key_retires_at_s)


def is_accepted(token: str, jwk: Mapping[str, Any]) -> bool:
    """Say whether Edge takes the signature.

    Its verifier is told that it has seen the header before, as one that names the key: a header
    without `kid` is taken to mean it.
    """
    verifier = Verifier([_AnyPayload()], most_remembered=0)
    segment = token.encode().partition(b".")[0]
    try:
        keys = prepared(jwk)
        verifier.replace_keys("vectors", keys)
        found = verifier._find_key(named(segment, keys[0].kid if keys else ""), b"")  # noqa: SLF001  # see above
    except (KeyRefusedError, ValueError):
        return False
    if isinstance(found, Reason):
        return False
    verifier._headers[segment] = found  # noqa: SLF001
    return isinstance(verifier.verify(token.encode(), NOW_S), VerifiedToken)


def prepared(jwk: Mapping[str, Any]) -> list[VerifyingKey]:
    if "keys" in jwk:
        return key_set(jwk)[0]
    return [verifying_key(jwk, kid=jwk.get("kid", "the key"))]


def named(segment: bytes, kid: str) -> bytes:
    """Give the header with this `kid` written into it where it has none."""
    members = read_members(decode_segment(segment))
    if "kid" in members:
        return segment
    return base64.urlsafe_b64encode(msgspec.json.encode({**members, "kid": kid})).rstrip(b"=")


def algorithm_of(token: str) -> str:
    try:
        header = json.loads(decode_segment(token.encode().partition(b".")[0]))
        return str(header.get("alg"))
    except ValueError:
        return "none that can be read"


@pytest.mark.parametrize("name", ["json_web_signature_test", "json_web_key_test"])
def test_wycheproof_has_no_unexplained_mismatch(name: str) -> None:
    """Edge takes what is valid and of an algorithm it offers, and nothing that is invalid."""
    mismatches = {}
    compared = 0
    for test, jwk in wycheproof(name):
        token = test["jws"] if isinstance(test["jws"], str) else json.dumps(test["jws"])
        is_valid = test["result"] == "valid"
        if is_valid and algorithm_of(token) not in ALGORITHMS and test["tcId"] not in EXPLAINED:
            assert not is_accepted(token, jwk), "an algorithm that Edge does not offer"
            continue
        compared += 1
        if is_accepted(token, jwk) != is_valid:
            mismatches[test["tcId"]] = test["comment"]
    expected = EXPLAINED if name == "json_web_signature_test" else {}
    assert mismatches.keys() == expected.keys(), mismatches
    assert compared >= {"json_web_signature_test": 380, "json_web_key_test": 20}[name]


@pytest.mark.parametrize(
    ("comment", "kinds"),
    [
        ("mixed sets", {1}),
        ("duplicate kids", {4}),
        ("a wrong use", {6}),
        ("ROCA", {7}),
        ("RSA of 1024 bits", {8}),
        ("an exponent of 1", {9}),
        ("short secrets", {10, 11, 12, 16, 17, 18}),
        ("an algorithm of another curve", {19, 20}),
    ],
)
def test_weak_and_confusing_keys_are_refused_when_loaded(comment: str, kinds: set[int]) -> None:
    """The key itself is refused with a reason, before any signature is looked at."""
    seen = set()
    for test, jwk in wycheproof("json_web_key_test"):
        if test["tcId"] not in kinds:
            continue
        seen.add(test["tcId"])
        try:
            keys = prepared(jwk)
        except KeyRefusedError:
            continue
        header = json.loads(decode_segment(test["jws"].encode().partition(b".")[0]))
        assert header.get("kid", "the key") not in {key.kid for key in keys}, comment
    assert seen == kinds


# RFC 7520 section 4, by file: Edge takes the compact form of those whose algorithm it offers.
_COOKBOOK: Final = {
    "4_1.rsa_v15_signature": True,
    "4_2.rsa-pss_signature": False,  # PS384
    "4_3.ecdsa_signature": False,  # ES512
    "4_4.hmac-sha2_integrity_protection": True,
}


@pytest.mark.parametrize(("name", "is_offered"), _COOKBOOK.items())
def test_the_examples_of_rfc_7520(name: str, is_offered: bool) -> None:  # noqa: FBT001  # a column of the table
    """Each example in compact form is taken, or is of an algorithm that Edge does not offer."""
    example = load(f"jose-cookbook/jws/{name}.json")
    token = example["output"]["compact"]
    jwk = {**example["input"]["key"], "alg": algorithm_of(token)}
    assert is_accepted(token, jwk) is is_offered
    assert (algorithm_of(token) in ALGORITHMS) is is_offered
    if is_offered:
        assert not is_accepted(f"{token[:-2]}AA", jwk)


def test_the_example_of_rfc_8037() -> None:
    """Appendix A.4: an Ed25519 signature is taken, and not for another payload."""
    example = load("jose-cookbook/curve25519/jws.json")
    token, jwk = example["output"]["compact"], example["input"]["key"]
    assert is_accepted(token, jwk)
    header, payload, signature = token.split(".")
    assert not is_accepted(f"{header}.{payload[:-1]}A.{signature}", jwk)


# RFC 7515 appendices A.1 to A.3 and A.5 have the same claims. A.4 is ES512, which is not offered;
# A.6 and A.7 are no compact serialisations.
_CLAIMS: Final = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
_RFC_7515: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "A.1, HS256": (
        (
            f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{_CLAIMS}."
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ),
        {
            "kty": "oct",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z"
            "9CAow",
        },
    ),
    "A.2, RS256": (
        (
            f"eyJhbGciOiJSUzI1NiJ9.{_CLAIMS}."
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF"
            "5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK"
            "5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
            "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            "p0igcN_IoypGlUPQGe77Rw"
        ),
        {
            "kty": "RSA",
            "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ"
            "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0"
            "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD"
            "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
            "PAcDTW9gb54h4FRWyuXpoQ",
        },
    ),
    "A.3, ES256": (
        (
            f"eyJhbGciOiJFUzI1NiJ9.{_CLAIMS}."
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        ),
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
    ),
}


@pytest.mark.parametrize("name", _RFC_7515)
def test_the_examples_of_rfc_7515(name: str) -> None:
    """Each is taken, and not with a signature that was changed, nor with none (appendix A.5)."""
    token, jwk = _RFC_7515[name]
    assert is_accepted(token, jwk)
    assert not is_accepted(f"{token[:-4]}AAAA", jwk)
    assert not is_accepted(f"eyJhbGciOiJub25lIn0.{_CLAIMS}.", jwk)


def test_the_verifier_itself_wants_a_kid() -> None:
    """What the vectors are helped with is missing in no token that Edge takes."""
    token, jwk = _RFC_7515["A.3, ES256"]
    verifier = Verifier([_AnyPayload()], most_remembered=0)
    verifier.replace_keys("vectors", prepared(jwk))
    assert verifier.verify(token.encode(), NOW_S) is Reason.TOKEN_MALFORMED
