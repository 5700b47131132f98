"""What the RFCs say of tokens, Basic and problem documents, one row a MUST.

Every token here is signed by Edge's own key unless its row says otherwise, so that what is refused
is refused for the one thing that its row is about. What does not apply, and why:

- RFC 7519 section 7.2 (encrypted and nested tokens), RFC 8725 sections 3.3 and 3.6: there is no
  JWE; that five segments are no token is a row.
- RFC 8725 section 3.5 (keys with enough entropy): no request brings a key. `test_vectors.py` has
  what is refused when keys are loaded.
- RFC 9068 section 2.2.3.1 (groups and entitlements of SCIM): Edge has none; `roles` is a list.
- RFC 9700 sections 2.1, 4.1 to 4.8, 4.11 and 4.12: there is no authorization endpoint. Section 4.10
  (tokens bound to their sender) is a SHOULD that bearer tokens do not keep.
- RFC 7617 section 2.2 (credentials sent before they are asked for): is about clients.
- RFC 9457 section 4 (registering types): types of Edge are URNs of its own.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from edge.accounts.user import User
from edge.faults import UnavailableError
from edge.reasons import Reason
from edge.settings.checks import check
from edge.settings.secret import Secret
from tests.support.app import running_service
from tests.support.musts import (
    OAUTH_PATHS,
    House,
    Row,
    Story,
    adder,
    check_oauth_error,
    decode,
    encode,
    forged,
    issued_at_s,
    refresh_error,
    signed,
)
from tests.support.secrets import remember

BASIC_CHALLENGE: Final = {"www-authenticate": 'Basic realm="[^"]+", charset="UTF-8"'}
PROBLEM: Final = r"application/problem\+json"
WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"

STORIES: Final[list[Story]] = []
must: Final = adder(STORIES)


async def code_of(house: House, token: str) -> str:
    """Give why a token is refused as `invalid_token`, or "ok"."""
    answer = await house.bearer(token)
    if answer.status_code == 200:
        return "ok"
    assert answer.status_code == 401, answer.text
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    code: str = answer.json()["code"]
    return code


async def check_claims(house: House, code: str, **claims: object) -> None:
    assert await code_of(house, forged(house, payload=claims)) == code, claims


def rows_7617() -> list[Row]:
    """Basic."""

    def row(section: str, law: str, **rest: Any) -> Row:  # noqa: ANN401  # of the row
        options = {"method": "GET", "path": "/basic-protected", **rest}
        return Row(rfc=7617, section=section, law=law, **options)

    malformed: dict[str, Any] = {"status": 400, "holds": {"code": "authorization_malformed"}}
    return [
        row("2", "the challenge has a realm", status=401, fields=BASIC_CHALLENGE),
        row("2.1", "charset may be UTF-8 only", status=401, fields=BASIC_CHALLENGE),
        row("2", "user and password are taken", basic="ann:{password}"),
        row(
            "2",
            "a wrong password is challenged again",
            basic="ann:wrong",
            status=401,
            fields=BASIC_CHALLENGE,
        ),
        row("2", "an empty password is one", basic="ann:", status=401, fields=BASIC_CHALLENGE),
        row("2", "without a colon it is malformed", basic="ann", **malformed),
        *(
            row("2", f"there is no control character {name}", basic=f"ann:{text}x", **malformed)
            for name, text in (("NUL", "\0"), ("LF", "\n"), ("DEL", "\x7f"), ("ESC", "\x1b"))
        ),
        *(
            row(
                "2",
                f"{name} is malformed and no error of ours",
                headers=(("Authorization", f"Basic {text}"),),
                **malformed,
            )
            for name, text in (("no base64", "!!!"), ("no UTF-8", "YW5uOv8="), ("half", "YW5"))
        ),
    ]


def rows_9457() -> list[Row]:
    """Problem documents."""

    def row(section: str, law: str, status: int, code: str, **rest: Any) -> Row:  # noqa: ANN401
        options = {"method": "GET", "path": "/nowhere", **rest}
        fields = {"content-type": PROBLEM, "cache-control": "no-store", **options.pop("fields", {})}
        holds = {"status": status, "code": code, "type": f"urn:edge:problem:{code}"}
        return Row(
            rfc=9457, section=section, law=law, status=status, holds=holds, fields=fields, **options
        )

    return [
        row("3", "nothing there: the media type is its own", 404, "not_found"),
        row(
            "3.1.2",
            "a wrong method: Allow stays",
            405,
            "method_not_allowed",
            path="/login",
            fields={"allow": ".*POST.*"},
        ),
        row(
            "3.1.2",
            "no credentials: the challenge stays",
            401,
            "credentials_missing",
            path="/bearer-protected",
            fields={"www-authenticate": "Bearer .*"},
        ),
        row(
            "3.1.2",
            "a malformed field: status is that of HTTP",
            400,
            "authorization_malformed",
            path="/bearer-protected",
            headers=(("Authorization", "Bearer"),),
        ),
        row(
            "3.1.2",
            "too few roles: status is that of HTTP",
            403,
            "role_missing",
            path="/admin-area",
            headers=(("Authorization", "Bearer {phone_access}"),),
        ),
        row(
            "3.1.2",
            "a wrong body: status is that of HTTP",
            400,
            "json_invalid",
            method="POST",
            path="/login",
            body="{{",
            content_type="application/json",
        ),
    ]


@must(
    9457, "3.1", "title is the same for each of a type, instance another; nothing inside is shown"
)
async def _(house: House) -> None:
    first, second = [(await house.app.get(path)).json() for path in ("/nowhere", "/elsewhere")]
    assert (first["type"], first["title"]) == (second["type"], second["title"])
    assert first["instance"] != second["instance"]
    for problem in (first, second, (await house.bearer("x.y.z")).json()):
        assert all(isinstance(problem[name], str) for name in ("type", "title", "detail"))
        assert "Traceback" not in str(problem)


@must(6749, "5.2", "errors of OAuth endpoints are no problem documents")
async def _(house: House) -> None:
    for path in OAUTH_PATHS:
        answer = await house.app.http.post(path, data={"x": "y"})
        check_oauth_error(answer, answer.json()["error"])


@must(7617, "2", "the first colon separates: passwords have colons")
async def _(house: House) -> None:
    await log_in_with_basic(house, "colin", "one:two::three-and-unguessable-52", None)


@must(7617, "2.1", "names and passwords are UTF-8, in whatever normal form")
async def _(house: House) -> None:
    composed = "sch\u00f6n-und-r\u00e4tselhaft-41"
    await log_in_with_basic(house, "elke", composed, composed.replace("\u00f6", "o\u0308"))


async def log_in_with_basic(house: House, name: str, password: str, other: str | None) -> None:
    remember(password)
    assert isinstance(await house.app.edge.accounts.add(name, password), User)
    for form in (password, other or password):
        headers = {"Authorization": house.basic(f"{name}:{form}")}
        assert (await house.app.http.get("/basic-protected", headers=headers)).status_code == 200


@must(7617, "4", "an unknown user is answered like a wrong password")
async def _(house: House) -> None:
    answers = []
    for name in ("ann", "nobody"):
        headers = {"Authorization": house.basic(f"{name}:wrong")}
        answer = await house.app.http.get("/basic-protected", headers=headers)
        body = answer.json()
        del body["instance"]
        answers.append((answer.status_code, answer.headers["www-authenticate"], body))
    assert answers[0] == answers[1]


@must(6750, "3", "a page of an allowed origin may read the challenge, and no attribute comes twice")
async def _(house: House) -> None:
    headers = {"Origin": "https://app.test", "Authorization": "Bearer x.y.z"}
    answer = await house.app.http.get("/bearer-protected", headers=headers)
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert "www-authenticate" in exposed
    names = [
        part.partition("=")[0].split()[-1] for part in answer.headers["www-authenticate"].split(",")
    ]
    assert len(set(names)) == len(names)


@must(6750, "3.1", "what is too long for a token is invalid_token, however long")
async def _(house: House) -> None:
    good = house.values["phone_access"]
    for length in (8193, 30_000):
        padded = forged(house, payload={"pad": "x" * length})
        assert await code_of(house, padded) == "token_malformed"
        assert await code_of(house, good + "A" * length) == "token_malformed"
    long_header = forged(house, header={"pad": "x" * 4096})
    assert await code_of(house, long_header) == "token_malformed"


@must(7009, "2.2.1", "without a store it is 503 with Retry-After: the token still exists")
async def _(house: House) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.app.edge.database, "reading", away)
        answer = await house.clients["phone"].revoke(house.values["phone_refresh"])
    check_oauth_error(answer, "temporarily_unavailable")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert await refresh_error(house, "phone", house.values["phone_refresh"]) is None


def away() -> NoReturn:
    raise UnavailableError(Reason.STORE_UNAVAILABLE)


@must(7519, "7.2", "the claims are one object in UTF-8")
async def _(house: House) -> None:
    for payload in (
        b"[]",
        b'"x"',
        b"7",
        b"null",
        b"",
        b"{",
        b"{}{}",
        b'{"iss":"\xff"}',
        b"\xef\xbb\xbf{}",
    ):
        assert await code_of(house, forged(house, payload=payload)) == "token_malformed"


@must(7519, "4", "no claim comes twice")
async def _(house: House) -> None:
    _, claims = decode(house.values["phone_access"])
    for name in claims:
        twice = json.dumps(claims)[:-1] + f", {json.dumps(name)}: {json.dumps(claims[name])}" + "}"
        assert await code_of(house, forged(house, payload=twice.encode())) == "token_malformed"


@must(7519, "4", "claims that are not understood are ignored")
async def _(house: House) -> None:
    await check_claims(house, "ok", nonce="x", amr=["pwd"], nested={"a": [1, None]})


@must(7519, "2", "a date is a number that is finite, and nothing that resembles one")
async def _(house: House) -> None:
    _, claims = decode(house.values["phone_access"])
    for name in ("exp", "iat", "nbf"):
        rest = json.dumps({**claims, name: 0}).removesuffix("}")
        good = f'"{name}": 0'
        for value in (
            "true",
            '"4000000000"',
            "1e400",
            "NaN",
            "Infinity",
            "-1",
            "[]",
            "{}",
            "9" * 30,
            "4e9",
        ):
            payload = (rest + "}").replace(good, f'"{name}": {value}').encode()
            assert await code_of(house, forged(house, payload=payload)) == "token_malformed", (
                name,
                value,
            )


@must(7519, "4.1.4", "on and after exp the token is refused, with a small leeway")
async def _(house: House) -> None:
    now_s = issued_at_s(house)
    await check_claims(house, "ok", exp=now_s + 60)
    await check_claims(house, "token_expired", exp=now_s - 10)


@must(7519, "4.1.5", "before nbf the token is refused, with a small leeway")
async def _(house: House) -> None:
    now_s = issued_at_s(house)
    await check_claims(house, "ok", nbf=now_s)
    await check_claims(house, "token_not_yet_valid", nbf=now_s + 60)


@must(7519, "4.1.6", "a token from the future is refused, with a small leeway")
async def _(house: House) -> None:
    await check_claims(house, "token_not_yet_valid", iat=issued_at_s(house) + 60)


@must(7519, "4.1.3", "aud is one text or several, and names us exactly")
async def _(house: House) -> None:
    for aud in ("edge", ["edge"], ["other", "edge"]):
        await check_claims(house, "ok", aud=aud)
    for aud in ("Edge", "edge ", "", [], ["other"], ["edg", "e"]):
        await check_claims(house, "audience_mismatch", aud=aud)
    for odd in (7, {"edge": 1}, ["edge", 7], True):
        await check_claims(house, "token_malformed", aud=odd)


@must(7519, "7.2", "what has not three segments of base64url is no token")
async def _(house: House) -> None:
    good = house.values["phone_access"]
    header, payload, signature = good.split(".")
    for token in (
        header,
        f"{header}.{payload}",
        f"{good}.",
        f".{good}",
        f"{good}.{header}.{payload}",
        f"{header}..{signature}",
        f"{header}.{payload}.",
    ):
        assert await code_of(house, token) in ("token_malformed", "signature_invalid"), token


@must(7515, "4.1.11", "crit, with whatever in it, is not understood: refused")
async def _(house: House) -> None:
    every: tuple[object, ...] = (["exp"], ["b64"], ["urn:x"], [], "exp", {}, 7)
    for crit in every:
        token = forged(house, header={"crit": crit, "exp": 1})
        assert await code_of(house, token) == "token_malformed"
    assert await code_of(house, forged(house, header={"exp": 1})) == "ok"


@must(7515, "4", "no header parameter comes twice")
async def _(house: House) -> None:
    header, _ = decode(house.values["phone_access"])
    for name, value in header.items():
        twice = json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(value)}" + "}"
        assert await code_of(house, forged(house, header=twice.encode())) == "token_malformed"


@must(8725, "3.1", "a public key is no secret: HS256 over what is published is refused")
async def _(house: House) -> None:
    [jwk] = (await house.app.get("/.well-known/jwks.json")).json()["keys"]
    key = ECKey.import_key(jwk)
    header, claims = decode(house.values["phone_access"])
    header["alg"] = "HS256"
    for secret in (
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        key.as_der(private=False),
        json.dumps(jwk).encode(),
        jwk["x"].encode(),
        b"",
    ):
        signing_input = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = hmac.digest(secret, signing_input.encode(), "sha256")
        assert await code_of(house, f"{signing_input}.{encode(signature)}") == "algorithm_mismatch"


@must(8725, "3.1", "the algorithm is the key's: a good signature under another name is refused")
async def _(house: House) -> None:
    for alg in ("ES384", "RS256", "PS256", "EdDSA", "HS256", "none", "es256", ""):
        assert await code_of(house, forged(house, header={"alg": alg})) == "algorithm_mismatch"


@must(8725, "3.10", "keys that a header brings or points to are not used, and do no harm")
async def _(house: House) -> None:
    thief = ECKey.generate_key("P-256")
    header, claims = decode(house.values["phone_access"])
    for brought in (
        {"jwk": thief.as_dict(private=False)},
        {"jku": "https://evil.test/jwks"},
        {"x5u": "https://evil.test/chain"},
        {"x5c": ["MIIB"]},
        {"x5t": "AAAA", "x5t#S256": "AAAA"},
    ):
        assert await code_of(house, forged(house, header=brought)) == "ok"
        for kid in (header["kid"], "thief"):
            stolen = signed_by(thief, {**header, **brought, "kid": kid}, claims)
            code = "signature_invalid" if kid == header["kid"] else "key_unknown"
            assert await code_of(house, stolen) == code


def signed_by(key: ECKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    signing_input = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    model = jws.JWSRegistry.algorithms["ES256"]
    return f"{signing_input}.{encode(model.sign(signing_input.encode(), key))}"


KINDS: Final[Mapping[str, Mapping[str, object]]] = {
    "assertion": {
        "typ": "JWT",
        "iss": "phone",
        "sub": "phone",
        "aud": "http://127.0.0.1:8000/token",
    },
    "client assertion": {"typ": "client-authentication+jwt", "iss": "phone", "sub": "phone"},
    "id token": {"typ": "JWT", "nonce": "x"},
    "token without typ": {"typ": None},
    "DPoP proof": {"typ": "dpop+jwt", "htm": "GET", "htu": "http://edge.test/bearer-protected"},
    "logout token": {"typ": "logout+jwt", "events": {}},
    "security event": {"typ": "secevent+jwt", "events": {}},
    "introspection answer": {"typ": "token-introspection+jwt"},
}


async def uses_of(house: House, token: str) -> set[str]:
    """Give what a token is good for."""
    uses = set()
    if (await house.bearer(token)).status_code == 200:
        uses.add("bearer")
    if (await house.clients["gateway"].introspect(token)).json() != {"active": False}:
        uses.add("introspected")
    form = {
        "grant_type": "client_credentials",
        "client_id": "machine",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": token,
    }
    if (await house.app.http.post("/token", data=form)).status_code == 200:
        uses.add("client assertion")
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    if (await house.clients["portal"].post("/token", grant_type=grant, assertion=token)).is_success:
        uses.add("grant")
    if await refresh_error(house, "phone", token) is None:
        uses.add("refresh")
    return uses


@must(8725, "3.12", "tokens of one kind are not taken for those of another: all kinds, all uses")
async def _(house: House) -> None:
    access, refresh = house.values["phone_access"], house.values["phone_refresh"]
    assert await uses_of(house, access) == {"bearer", "introspected"}
    assert await uses_of(house, refresh) == {"introspected", "refresh"}
    for kind, members in KINDS.items():
        claims = {name: members[name] for name in members if name != "typ"}
        token = forged(house, header={"typ": members["typ"]}, payload=claims)
        assert await uses_of(house, token) == set(), kind


@must(9068, "2.1", "at+jwt and application/at+jwt are access tokens, and nothing else is")
async def _(house: House) -> None:
    for typ in ("at+jwt", "application/at+jwt", "AT+JWT", "Application/AT+JWT"):
        assert await code_of(house, forged(house, header={"typ": typ})) == "ok"
    for other in ("JWT", "jwt", "application/jwt", "at", "at+jwt ", "text/at+jwt", "", None):
        assert await code_of(house, forged(house, header={"typ": other})) == "type_mismatch"


@must(9068, "2.2", "a token that lacks a claim that is required is refused")
async def _(house: House) -> None:
    for name in ("iss", "exp", "aud", "sub", "client_id", "iat", "jti"):
        await check_claims(house, "token_malformed", **{name: None})
        null = {**decode(house.values["phone_access"])[1], name: None}
        as_null = forged(house, payload=json.dumps(null).encode())
        assert await code_of(house, as_null) == "token_malformed"


@must(9068, "4", "the issuer is compared as it is")
async def _(house: House) -> None:
    issuer = decode(house.values["phone_access"])[1]["iss"]
    for other in (
        f"{issuer}/",
        issuer.upper(),
        issuer.replace("http:", "https:"),
        f" {issuer}",
        "",
    ):
        await check_claims(house, "issuer_unknown", iss=other)


@must(9068, "2.1", "RS256 is supported, by who signs and by who verifies")
async def _(house: House) -> None:
    settings = house.app.edge.settings
    tokens = msgspec.structs.replace(settings.tokens, algorithm="RS256")
    url = Secret(f"sqlite:///{settings.data_dir / 'rs256.db'}")
    database = msgspec.structs.replace(settings.database, url=url)
    async with running_service(
        msgspec.structs.replace(settings, tokens=tokens, database=database)
    ) as app:
        await app.add_user("rosa")
        token = (await app.login("rosa"))["access_token"]
        assert decode(token)[0]["alg"] == "RS256"
        assert (await app.get("/bearer-protected", token)).status_code == 200


@must(9700, "2.3", "a token whose audience is somebody else is refused")
async def _(house: House) -> None:
    assert await code_of(house, signed(house, aud="https://api.test")) == "audience_mismatch"


@must(9700, "2.4", "the password grant can be left out, and is then not advertised")
async def _(house: House) -> None:
    settings = house.app.edge.settings
    assert "password" in (await house.app.get(WELL_KNOWN)).json()["grant_types_supported"]
    tokens = msgspec.structs.replace(settings.tokens, password_grant=False)
    async with running_service(msgspec.structs.replace(settings, tokens=tokens)) as app:
        metadata = (await app.get(WELL_KNOWN)).json()
        form = {"grant_type": "password", "username": "ann", "password": house.values["password"]}
        refused = await app.http.post("/token", data={**form, "client_id": "phone"})
    assert "password" not in metadata["grant_types_supported"]
    check_oauth_error(refused, "unsupported_grant_type")


@must(9700, "2.4", "where the password grant is on, edge check says so")
async def _(house: House) -> None:
    assert house.app.edge.settings.tokens.password_grant
    found = [each.variable for each in check(house.app.edge.settings)]
    assert "EDGE_TOKENS_PASSWORD_GRANT" in found


@must(9700, "4.14.2", "a public client's refresh token is replaced with each use")
async def _(house: House) -> None:
    first = house.values["phone_refresh"]
    second = (await house.clients["phone"].refresh(first)).json()["refresh_token"]
    assert second != first


@must(9700, "4.14.2", "a replay revokes the refresh token that is active")
async def _(house: House) -> None:
    spent, active = house.values["phone_spent"], house.values["phone_renewed"]
    assert await refresh_error(house, "phone", spent) == "invalid_grant"
    assert await refresh_error(house, "phone", active) == "invalid_grant"


@must(9700, "4.14.2", "a refresh token is bound to the scope that was granted")
async def _(house: House) -> None:
    phone = house.clients["phone"]
    token = (await phone.login("ann", scope="profile"))["refresh_token"]
    check_oauth_error(await phone.refresh(token, scope="moderate"), "invalid_scope")


@must(9700, "4.13", "what a proxy would say is not believed of anybody else")
async def _(house: House) -> None:
    lies = {
        "Host": "evil.test",
        "Forwarded": "for=10.0.0.1;host=evil.test;proto=https",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "10.0.0.1",
    }
    answer = await house.app.http.get(WELL_KNOWN, headers=lies)
    assert answer.json() == (await house.app.get(WELL_KNOWN)).json()
    assert "evil" not in answer.text


ROWS: Final[list[Row | Story]] = [*rows_7617(), *rows_9457(), *STORIES]


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"RFC {row.rfc} section {row.section}: {row.law}"
)
async def test_what_the_rfcs_demand(house: House, row: Row | Story) -> None:
    """Each row states its law."""
    await row.check(house)


def test_every_rfc_has_rows() -> None:
    """What this table is for: none of these can be lost without a word."""
    assert {row.rfc for row in ROWS} == {6749, 6750, 7009, 7515, 7519, 7617, 8725, 9068, 9457, 9700}
