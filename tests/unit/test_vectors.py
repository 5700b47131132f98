"""Published test vectors: Wycheproof and the examples of the JOSE RFCs, each mismatch explained."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from edge.tokens.compact import Header, decode_segment, read_header
from edge.tokens.jose.key_sets import key_set
from edge.tokens.jose.keys import verifying_key
from edge.tokens.keys import ALGORITHMS, KeyRefusedError, VerifyingKey
from tests.support.requirements import missing

VECTORS: Final = Path(__file__).parents[3] / "shared" / "vectors"

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
    path = VECTORS / name
    if not VECTORS.exists():
        missing("vectors", "the folder shared/vectors beside the repository")
    return json.loads(path.read_text())


def wycheproof(name: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Give each test with the JWK or JWK Set it is about."""
    for group in load(f"wycheproof/{name}.json")["testGroups"]:
        for test in group["tests"]:
            yield test, group.get("public") or group["private"]


def is_accepted(token: str, jwk: Mapping[str, Any]) -> bool:
    """Say whether Edge takes the signature; a header without `kid` is taken to mean the key."""
    header_segment, _, rest = token.encode().partition(b".")
    payload_segment, _, signature_segment = rest.partition(b".")
    try:
        keys = {key.kid: key for key in prepared(jwk)}
        header = header_of(header_segment, next(iter(keys)))
        key = keys[header.kid]
        decode_segment(payload_segment)
        signed = header_segment + b"." + payload_segment
        return header.alg == key.algorithm and key.verify(signed, decode_segment(signature_segment))
    except (ValueError, KeyError, StopIteration):
        return False


def prepared(jwk: Mapping[str, Any]) -> list[VerifyingKey]:
    if "keys" in jwk:
        return key_set(jwk)[0]
    return [verifying_key(jwk, kid=jwk.get("kid", "the key"))]


def header_of(segment: bytes, kid: str) -> Header:
    document = json.loads(decode_segment(segment))
    if "kid" in document:
        return read_header(segment)
    return Header(document["alg"], kid, "")


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
        kid = header_of(test["jws"].encode().partition(b".")[0], "the key").kid
        assert kid not in {key.kid for key in keys}, comment
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


_RFC_7515: Final = [
    # Appendix A.1: HS256.
    (
        (
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
            "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        ),
        {
            "kty": "oct",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z"
            "9CAow",
        },
    ),
    # Appendix A.3: ES256.
    (
        (
            "eyJhbGciOiJFUzI1NiJ9"
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
            "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6N"
            "U1Q"
        ),
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
    ),
]


@pytest.mark.parametrize(("token", "jwk"), _RFC_7515, ids=["A.1", "A.3"])
def test_the_examples_of_rfc_7515(token: str, jwk: Mapping[str, Any]) -> None:
    """The examples of the appendix are taken, and not with a signature that was changed."""
    assert is_accepted(token, jwk)
    assert not is_accepted(f"{token[:-4]}AAAA", jwk)
