"""The verifier held to joserfc with full checks: whatever joserfc refuses, we never accept.

Tokens are made from valid ones by changes that are signed (a forger with a key) and changes after
signing (a forger without one), of all eight algorithms.
"""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from edge.reasons import Reason
from edge.tokens.claims import ClaimsPolicy, VerifiedToken
from edge.tokens.jose.sealing import KeySealer
from edge.tokens.keys import Algorithm
from edge.tokens.own_tokens import OwnTokens
from edge.tokens.signing_key import OpenedKey
from edge.tokens.strict_json import read_members
from edge.tokens.verifier import Verifier
from tests.support.fakes import NOW_S, make_claims

# RFC 9864 gives Ed25519 a name of its own; JWKs and libraries of today say EdDSA.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

LEEWAY_S = 5
POLICY: Final = ClaimsPolicy(
    issuer="https://edge.test", audiences=frozenset({"edge"}), leeway_s=LEEWAY_S
)
_SEAL: Final = secrets.token_bytes(32)
_SEALER: Final = KeySealer([_SEAL])
_SEALED: Final = {name: _SEALER.generate(name) for name in get_args(Algorithm)}
KEYS: Final[dict[str, OpenedKey]] = {name: _SEALER.open(key) for name, key in _SEALED.items()}


def _joserfc_keys() -> KeySet:
    from joserfc import jwe  # noqa: PLC0415  # to read back what was sealed, here only

    seal = OctKey.import_key(_SEAL)
    jwks = [
        json.loads(
            jwe.decrypt_compact(key.sealed_key, seal, algorithms=["dir", "A256GCM"]).plaintext
            or b""
        )
        for key in _SEALED.values()
    ]
    return KeySet.import_key_set({"keys": jwks})


_KEY_SET: Final = _joserfc_keys()
# RFC 7515 section 4: parameters that are not understood are ignored, unless they are in `crit`.
_HEADERS: Final = JWSRegistry(algorithms=list(KEYS), strict_check_header=False)
_REGISTRY: Final = JWTClaimsRegistry(
    now=NOW_S,
    leeway=LEEWAY_S,
    iss={"essential": True, "value": POLICY.issuer},
    aud={"essential": True, "value": "edge"},
    sub={"essential": True},
    exp={"essential": True},
    iat={"essential": True},
    jti={"essential": True},
    client_id={"essential": True},
)


def reference(token: str) -> str | None:
    """Give why joserfc refuses the token, None where it accepts it."""
    try:
        decoded = jwt.decode(token, _KEY_SET, registry=_HEADERS)
        _REGISTRY.validate(decoded.claims)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return type(error).__name__
    kid = decoded.header.get("kid")
    bound = next((name for name, key in KEYS.items() if key.signing.kid == kid), None)
    return None if decoded.header["alg"] == bound else "another algorithm than the key's"


def _new_verifier() -> Verifier:
    verifier = Verifier([OwnTokens(POLICY)], most_remembered=0)
    verifier.replace_keys(POLICY.issuer, [key.verifying for key in KEYS.values()])
    return verifier


_SEASONED: Final = _new_verifier()


def ours(token: str) -> VerifiedToken | Reason:
    """Verify the token, by a verifier that saw none before and by one that knows many a header."""
    encoded = token.encode("utf-8", "surrogatepass")
    fresh, seasoned = (one.verify(encoded, NOW_S) for one in (_new_verifier(), _SEASONED))
    assert isinstance(fresh, Reason) is isinstance(seasoned, Reason), (fresh, seasoned)
    return seasoned if isinstance(fresh, Reason) else fresh


Pairs = list[tuple[str, Any]]
Change = Callable[[Pairs], Pairs]

_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(NOW_S - 20, NOW_S + 20),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["edge", POLICY.issuer, "at+jwt", "JWT", "none", *KEYS]),
    st.lists(st.sampled_from(["edge", "other", 1, None]), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
_claims = st.sampled_from(
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "epoch",
        "sid",
        "scope",
        "roles",
        "x",
    ]
)
_parameters = st.sampled_from(
    ["alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "cty", "enc", "x"]
)


def changes(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[Change]]:
    """Give changes of an object: members set, removed, repeated, put last."""

    def setting(name: str, value: object) -> Change:
        return lambda pairs: [pair for pair in pairs if pair[0] != name] + [(name, value)]

    def removing(name: str) -> Change:
        return lambda pairs: [pair for pair in pairs if pair[0] != name]

    def repeating(name: str, value: object) -> Change:
        return lambda pairs: [(name, value), *pairs]

    return st.lists(
        st.one_of(
            st.builds(setting, names, _values),
            st.builds(removing, names),
            st.builds(repeating, names, _values),
        ),
        max_size=2,
    )


def encode_object(pairs: Pairs, style: str) -> bytes:
    separators = (", ", ": ") if style == "spaced" else (",", ":")
    items = [
        json.dumps(name) + separators[1] + json.dumps(value, ensure_ascii=style != "plain")
        for name, value in pairs
    ]
    text = "{" + separators[0].join(items) + "}"
    if style == "escaped":
        text = text.replace('"iss"', '"\\u0069ss"', 1).replace('"kid"', '"k\\u0069d"', 1)
    if style == "padded":
        text = f" {text}\n"
    return text.encode("utf-8", "surrogatepass")


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _flip(token: str, place: float) -> str:
    index = int(place * (len(token) - 1))
    return token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]


_AFTER: Final[dict[str, Callable[[str, float], str]]] = {
    "nothing": lambda token, _: token,
    "a character flipped": _flip,
    "cut": lambda token, place: token[: int(place * len(token))],
    "padding": lambda token, _: token + "=",
    "a fourth part": lambda token, _: token + ".AAAA",
    "a blank": lambda token, place: (
        token[: int(place * len(token))] + " " + token[int(place * len(token)) :]
    ),
    "a line feed behind": lambda token, _: token + "\n",
    "parts swapped": lambda token, _: ".".join(reversed(token.split("."))),
    "no signature": lambda token, _: token.rpartition(".")[0] + ".",
    "the other alphabet": lambda token, _: token.replace("-", "+").replace("_", "/"),
    "another last character": lambda token, _: token[:-1] + chr(ord(token[-1]) ^ 1),
    "two parts": lambda token, _: token.rpartition(".")[0],
    "beyond ASCII": lambda token, place: token[: int(place * len(token))] + "é",
    "a surrogate": lambda token, _: token + "\udc80",
}


@st.composite
def tokens(draw: st.DrawFn) -> str:
    key = KEYS[draw(st.sampled_from(list(KEYS)))]
    header: Pairs = [("alg", key.signing.algorithm), ("kid", key.signing.kid), ("typ", "at+jwt")]
    payload: Pairs = [
        ("iss", POLICY.issuer),
        ("sub", "01900000-0000-7000-8000-000000000000"),
        ("aud", "edge"),
        ("exp", NOW_S + 900),
        ("iat", NOW_S),
        ("jti", "the-jti"),
        ("client_id", "first-party"),
        ("epoch", 0),
    ]
    for change in draw(changes(_parameters)):
        header = change(header)
    for change in draw(changes(_claims)):
        payload = change(payload)
    styles = st.sampled_from(["compact", "compact", "spaced", "padded", "escaped", "plain"])
    signed = ".".join(
        to_base64url(encode_object(pairs, draw(styles))) for pairs in (header, payload)
    )
    token = f"{signed}.{to_base64url(key.signing.sign(signed.encode()))}"
    after = draw(st.sampled_from(["nothing"] * 8 + list(_AFTER)))
    return _AFTER[after](token, draw(st.floats(0, 1)))


_outcomes: Counter[str] = Counter()


@pytest.mark.no_cover  # does often what other tests do once
@settings(max_examples=1500, deadline=None)
@given(tokens())
def test_what_joserfc_refuses_we_never_accept(token: str) -> None:
    """No token that joserfc refuses, by signature, algorithm or claims, is accepted here."""
    verdict, problem = ours(token), reference(token)
    accepted = isinstance(verdict, VerifiedToken)
    _outcomes["accepted" if accepted else str(verdict)] += 1
    assert not accepted or problem is None, (verdict, problem)


def test_the_comparison_met_tokens_of_all_sorts() -> None:
    """It was no comparison of refusals: many were accepted, and many refused for each reason."""
    if not _outcomes:
        pytest.skip("runs after the comparison, in the same process")
    assert _outcomes["accepted"] > 100
    assert _outcomes[Reason.TOKEN_MALFORMED] > 100
    assert len(_outcomes) >= 4


@pytest.mark.parametrize("algorithm", KEYS)
def test_both_accept_what_is_right(algorithm: str) -> None:
    """A token as Edge signs it is accepted by both, for each algorithm."""
    key = KEYS[algorithm]
    header = encode_object(
        [("alg", algorithm), ("kid", key.signing.kid), ("typ", "at+jwt")], "compact"
    )
    claims = json.dumps({**_as_dict(), "iss": POLICY.issuer}).encode()
    signed = f"{to_base64url(header)}.{to_base64url(claims)}"
    token = f"{signed}.{to_base64url(key.signing.sign(signed.encode()))}"
    assert isinstance(ours(token), VerifiedToken)
    assert reference(token) is None


def _as_dict() -> dict[str, Any]:
    return dict(msgspec.to_builtins(make_claims()))


@pytest.mark.no_cover  # does often what other tests do once
@settings(max_examples=1500, deadline=None)
@given(changes(_claims), st.sampled_from(["compact", "spaced", "padded", "escaped", "plain"]))
def test_the_fast_way_reads_only_what_the_strict_way_reads(
    changed: list[Change], style: str
) -> None:
    """A payload that is what its claims are encoded as has no repeated members."""
    pairs: Pairs = [
        (name, POLICY.issuer if name == "iss" else value) for name, value in _as_dict().items()
    ]
    for change in changed:
        pairs = change(pairs)
    payload = encode_object(pairs, style)
    reader = OwnTokens(POLICY)
    try:
        claims = reader.decode(payload)
    except ValueError:
        return
    if reader.encode(claims) == payload:
        read_members(payload)  # raises where a member is repeated
