"""What the RFCs say an authorization server MUST do at its endpoints, one row a MUST.

`test_token_musts.py` has those about tokens, Basic and problem documents. SHOULDs that Edge keeps
are in here too. What does not apply, and why:

- RFC 6749 sections 3.1 and 4.1, RFC 7636, RFC 9207, RFC 9700 section 2.1: there is no
  authorization endpoint, so no redirects, no codes, no PKCE.
- RFC 6749 section 4.3.2 (brute force): rate policies do it, in `test_login_limits.py`.
- RFC 8414 section 3 (where the document is for an issuer with a path): `test_metadata.py`.
- RFC 9449 (DPoP): is not offered; tokens are bearer tokens.
- TLS, in several: the load balancer does it.
"""

from typing import Any, Final

import pytest

from edge.stores.tables import revocations
from tests.support.musts import (
    OAUTH_PATHS,
    House,
    Row,
    Story,
    adder,
    check_oauth_error,
    decode,
    issued_at_s,
    joined,
    refresh_error,
    signed,
)
from tests.support.oauth import add_client
from tests.support.stores import rows_of, set_session

WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
PASSWORD: Final = "grant_type=password&client_id=phone&username=ann&password={password}"
REFRESH: Final = "grant_type=refresh_token&client_id=phone&refresh_token={phone_refresh}"
OWN: Final = "grant_type=client_credentials"
MACHINE: Final = "machine:{machine_secret}"
PORTAL: Final = "portal:{portal_secret}"
NO_STORE: Final = {"cache-control": "no-store"}
BASIC_CHALLENGE: Final = {"www-authenticate": 'Basic realm="[^"]+", charset="UTF-8"', **NO_STORE}
INVALID_TOKEN: Final = {"www-authenticate": 'Bearer realm="[^"]+", error="invalid_token"'}
BAD_REQUEST: Final[dict[str, Any]] = {"status": 400, "error": "invalid_request"}
BAD_CLIENT: Final[dict[str, Any]] = {
    "status": 401,
    "error": "invalid_client",
    "fields": BASIC_CHALLENGE,
}
BAD_GRANT: Final[dict[str, Any]] = {"status": 400, "error": "invalid_grant"}


def rows_6749() -> list[Row]:
    """The token endpoint."""
    repeated = {
        "grant_type": PASSWORD + "&grant_type=password",
        "username": PASSWORD + "&username=ann",
        "password": PASSWORD + "&password=x",
        "scope": PASSWORD + "&scope=profile&scope=profile",
        "client_id": PASSWORD + "&client_id=phone",
        "client_secret": OWN + "&client_secret=a&client_secret=b",
        "refresh_token": REFRESH + "&refresh_token=x",
    }
    missing = {
        "grant_type": "client_id=phone",
        "username": "grant_type=password&client_id=phone&password=x",
        "password": "grant_type=password&client_id=phone&username=ann",
        "refresh_token": "grant_type=refresh_token&client_id=phone",
    }
    strangers = {
        "unknown": "nobody:secret",
        "with a wrong secret": "machine:wrong",
        "with another's secret": "machine:{portal_secret}",
        "without its secret": "machine:",
    }
    return [
        *(
            Row(
                rfc=6749,
                section="3.2",
                law=f"{method} is not how tokens are asked for",
                method=method,
                status=405,
                fields={"allow": ".*POST.*"},
            )
            for method in ("GET", "PUT", "DELETE")
        ),
        *(
            Row(
                rfc=6749,
                section="3.2",
                law=f"parameters come as a form, not as {content_type}",
                content_type=content_type,
                body=body,
                **BAD_REQUEST,
            )
            for content_type, body in (
                ("application/json", '{{"grant_type": "password"}}'),
                ("multipart/form-data; boundary=x", "--x--"),
                ("text/plain", PASSWORD),
            )
        ),
        *(
            Row(
                rfc=6749,
                section="3.2",
                law=f"{name} is not sent twice",
                body=body,
                **BAD_REQUEST,
            )
            for name, body in repeated.items()
        ),
        Row(
            rfc=6749,
            section="3.2",
            law="a parameter without a value is treated as if it was left out",
            body=PASSWORD + "&scope=",
            holds={"scope": "moderate profile"},
        ),
        Row(
            rfc=6749,
            section="3.2",
            law="unknown parameters are ignored, repeated ones too",
            body=PASSWORD + "&audience=x&audience=y",
        ),
        Row(
            rfc=6749,
            section="2.3",
            law="a client does not use two ways to authenticate",
            body=OWN + "&client_id=machine&client_secret={machine_secret}",
            basic=MACHINE,
            **BAD_REQUEST,
        ),
        Row(
            rfc=6749,
            section="2.3.1",
            law="the server supports Basic for clients with a secret",
            body=OWN,
            basic=MACHINE,
        ),
        Row(
            rfc=6749,
            section="2.3.1",
            law="id and secret are form-encoded before they are joined",
            body=OWN,
            basic="m%61chin%65:{machine_secret}",
        ),
        Row(
            rfc=6749,
            section="2.3.1",
            law="id and secret may be in the body",
            body=OWN + "&client_id=machine&client_secret={machine_secret}",
        ),
        Row(
            rfc=6749,
            section="2.3.1",
            law="credentials are not in the URI",
            path="/token?client_id=machine&client_secret=x",
            body=OWN,
            **BAD_REQUEST,
        ),
        *(
            Row(
                rfc=6749,
                section="5.2",
                law=f"a client {who} gets 401 and a challenge of the scheme it used",
                body=OWN,
                basic=credentials,
                **BAD_CLIENT,
            )
            for who, credentials in strangers.items()
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="an unsupported way to authenticate is invalid_client",
            body=OWN,
            headers=(("Authorization", "Bearer {phone_access}"),),
            **BAD_CLIENT,
        ),
        Row(
            rfc=6749,
            section="3.2.1",
            law="a client with a secret must use it",
            body=PASSWORD.replace("phone", "portal"),
            **BAD_CLIENT,
        ),
        *(
            Row(
                rfc=6749,
                section="5.2",
                law=f"without {name} the request is invalid",
                body=body,
                **BAD_REQUEST,
            )
            for name, body in missing.items()
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="an unknown grant type is unsupported_grant_type",
            body="grant_type=urn:x&client_id=phone",
            status=400,
            error="unsupported_grant_type",
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="a grant type that the client was not given is unauthorized_client",
            body=PASSWORD.replace("client_id=phone&", ""),
            basic=MACHINE,
            status=400,
            error="unauthorized_client",
        ),
        Row(
            rfc=6749,
            section="4.4",
            law="client_credentials is for confidential clients only",
            body=OWN + "&client_id=phone",
            status=400,
            error="unauthorized_client",
        ),
        *(
            Row(
                rfc=6749,
                section="5.2",
                law=f"the scope {scope} is invalid_scope",
                body=f"{PASSWORD}&scope={scope}",
                status=400,
                error="invalid_scope",
            )
            # Section 3.3: names are case-sensitive and separated by one space.
            for scope in ("unknown", "Profile", "profile++moderate", "%22", "admin")
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="a wrong password is invalid_grant",
            body="grant_type=password&client_id=phone&username=ann&password=wrong",
            **BAD_GRANT,
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="an unknown refresh token is invalid_grant",
            body="grant_type=refresh_token&client_id=phone&refresh_token=unknown",
            **BAD_GRANT,
        ),
        Row(
            rfc=6749,
            section="5.2",
            law="a refresh token of another client is invalid_grant",
            body=REFRESH.replace("client_id=phone", "client_id=tablet"),
            **BAD_GRANT,
        ),
        Row(
            rfc=6749,
            section="5.1",
            law="tokens come in JSON that nobody keeps",
            body=PASSWORD,
            holds={"token_type": "Bearer", "expires_in": 900},
            fields={
                "content-type": "application/json(; charset=utf-8)?",
                "pragma": "no-cache",
                **NO_STORE,
            },
        ),
        Row(
            rfc=6749,
            section="3.3",
            law="a scope that is not what was asked for is told",
            body=PASSWORD + "&scope=profile+admin",
            holds={"scope": "profile"},
        ),
    ]


def rows_6750() -> list[Row]:
    """Bearer tokens at the resource server."""

    def row(section: str, law: str, **rest: Any) -> Row:  # noqa: ANN401  # of the row
        options = {"method": "GET", "path": "/bearer-protected", **rest}
        return Row(rfc=6750, section=section, law=law, **options)

    def sent(value: str) -> dict[str, Any]:
        return {"headers": (("Authorization", value),)}

    one = ("Authorization", "Bearer {phone_access}")
    return [
        row(
            "3",
            "without credentials there is a challenge with a realm and no error",
            status=401,
            fields={"www-authenticate": 'Bearer realm="[^"]+"'},
        ),
        row("2.1", "the token is sent in the Authorization field", **sent("Bearer {phone_access}")),
        row("2.1", "the scheme is the same in any case", **sent("bEARER {phone_access}")),
        row("2.1", "several spaces are one separator", **sent("Bearer   {phone_access}")),
        row("3.1", "a scheme without a token is malformed", status=400, **sent("Bearer")),
        row("3.1", "a token of other characters is malformed", status=400, **sent("Bearer a,b")),
        row("2", "a token is not sent twice", status=400, headers=(one, one)),
        row(
            "3.1",
            "junk is invalid_token",
            status=401,
            fields=INVALID_TOKEN,
            **sent("Bearer junk"),
        ),
        row(
            "3.1",
            "a wrong signature is invalid_token",
            status=401,
            fields=INVALID_TOKEN,
            **sent("Bearer {phone_access}AAAA"),
        ),
        row(
            "3.1",
            "too little scope is insufficient_scope and names what is needed",
            path="/secure-data",
            status=403,
            fields={
                "www-authenticate": (
                    'Bearer realm="[^"]+", error="insufficient_scope", scope="profile"'
                )
            },
            **sent("Bearer {gateway_access}"),
        ),
        row(
            "2.3",
            "a token in the URI is none",
            path="/bearer-protected?access_token={phone_access}",
            status=401,
            fields={"www-authenticate": 'Bearer realm="[^"]+"'},
        ),
        row(
            "5.3",
            "no shared cache may keep what a token opened",
            fields=NO_STORE,
            **sent("Bearer {phone_access}"),
        ),
    ]


def rows_7009() -> list[Row]:
    """Revocation."""

    def row(section: str, law: str, body: str = "", **rest: Any) -> Row:  # noqa: ANN401  # of the row
        return Row(rfc=7009, section=section, law=law, path="/oauth/revoke", body=body, **rest)

    gone: dict[str, Any] = {"exactly": {}, "fields": NO_STORE}
    return [
        row("2.1", "it is a POST", method="GET", status=405),
        row("2.1", "it is a form", "{{}}", content_type="application/json", **BAD_REQUEST),
        row("2.1", "token is required", "client_id=phone", **BAD_REQUEST),
        row("2.1", "token is not sent twice", "token=a&token=b", **BAD_REQUEST),
        row(
            "2.1",
            "a client that does not prove itself is refused",
            "token={portal_refresh}&client_id=portal",
            **BAD_CLIENT,
        ),
        row(
            "2.1",
            "a client with a wrong secret is refused",
            "token={portal_refresh}",
            basic="portal:wrong",
            **BAD_CLIENT,
        ),
        row(
            "2.1",
            "the token of another client is refused",
            "token={phone_refresh}&client_id=tablet",
            **BAD_GRANT,
        ),
        row("2.2", "an invalid token is no error", "token=junk&client_id=phone", **gone),
        row("2.2", "a good token is answered alike", "token={portal_access}", basic=PORTAL, **gone),
        row(
            "2.1",
            "a wrong hint does no harm",
            "token={portal_refresh}&token_type_hint=access_token",
            basic=PORTAL,
            **gone,
        ),
        row(
            "2.1",
            "an unknown hint does no harm",
            "token={portal_refresh}&token_type_hint=x",
            basic=PORTAL,
            **gone,
        ),
        row(
            "2.3",
            "no script is made of the answer",
            "token=junk&client_id=phone&callback=package.run",
            exactly={},
        ),
    ]


def rows_7662() -> list[Row]:
    """Introspection."""

    def row(section: str, law: str, body: str = "", **rest: Any) -> Row:  # noqa: ANN401  # of the row
        return Row(rfc=7662, section=section, law=law, path="/oauth/introspect", body=body, **rest)

    nothing: dict[str, Any] = {"exactly": {"active": False}, "fields": NO_STORE}
    return [
        row("2.1", "it is a POST", method="GET", status=405),
        row("2.1", "it is a form", "{{}}", content_type="application/json", **BAD_REQUEST),
        row("2.1", "token is required", basic=PORTAL, **BAD_REQUEST),
        row("2.1", "a stranger may not ask", "token={portal_access}", **BAD_CLIENT),
        row("2.1", "a public client may not", "token={phone_access}&client_id=phone", **BAD_CLIENT),
        row(
            "2.3",
            "a wrong secret is invalid_client",
            "token={portal_access}",
            basic="portal:wrong",
            **BAD_CLIENT,
        ),
        row(
            "2.2",
            "a good token is active, and what it is for is told",
            "token={portal_access}",
            basic=PORTAL,
            holds={
                "active": True,
                "scope": "moderate profile",
                "client_id": "portal",
                "token_type": "Bearer",
                "aud": "edge",
            },
            fields=NO_STORE,
        ),
        row("2.2", "of junk nothing is told", "token=junk", basic=PORTAL, **nothing),
        row(
            "2.2",
            "of what the client may not know nothing is told",
            "token={phone_access}",
            basic=PORTAL,
            **nothing,
        ),
        row(
            "4",
            "a token with a wrong signature is not active",
            "token={portal_access}AAAA",
            basic=PORTAL,
            **nothing,
        ),
        row(
            "2.1",
            "a wrong hint does no harm",
            "token={portal_access}&token_type_hint=refresh_token",
            basic=PORTAL,
            holds={"active": True},
        ),
    ]


def rows_8414_and_7517() -> list[Row]:
    """Metadata and keys."""
    return [
        Row(
            rfc=8414,
            section="3.2",
            law="the metadata is a JSON object with 200",
            method="GET",
            path=WELL_KNOWN,
            fields={"content-type": "application/json"},
            holds={"issuer": "http://127.0.0.1:8000"},
        ),
        Row(
            rfc=8414,
            section="2",
            law="token_endpoint is there",
            method="GET",
            path=WELL_KNOWN,
            holds={"token_endpoint": "http://127.0.0.1:8000/token"},
        ),
        Row(
            rfc=8414,
            section="3.1",
            law="the metadata is asked for with GET",
            path=WELL_KNOWN,
            status=405,
        ),
        Row(
            rfc=7517,
            section="8.5.2",
            law="a key set has a media type of its own",
            method="GET",
            path="/.well-known/jwks.json",
            fields={"content-type": r"application/jwk-set\+json"},
        ),
    ]


STORIES: Final[list[Story]] = []
must: Final = adder(STORIES)


@must(6749, "6", "a refresh may narrow the scope, and the refresh token's own stays")
async def _(house: House) -> None:
    phone = house.clients["phone"]
    narrow = (await phone.refresh(house.values["phone_refresh"], scope="profile")).json()
    whole = (await phone.refresh(narrow["refresh_token"])).json()
    assert (narrow["scope"], whole["scope"]) == ("profile", "moderate profile")


@must(6749, "6", "a refresh asks for no scope that was not granted")
async def _(house: House) -> None:
    phone = house.clients["phone"]
    first = (await phone.login("ann", scope="profile"))["refresh_token"]
    check_oauth_error(await phone.refresh(first, scope="profile moderate"), "invalid_scope")
    assert await refresh_error(house, "phone", first) is None


@must(6749, "6", "a client with a secret proves itself when it refreshes")
async def _(house: House) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": house.values["portal_refresh"]}
    answer = await house.app.http.post("/token", data={**form, "client_id": "portal"})
    check_oauth_error(answer, "invalid_client")
    assert await refresh_error(house, "portal", form["refresh_token"]) is None


@must(6749, "5.2", "an expired refresh token is invalid_grant")
async def _(house: House) -> None:
    await set_session(house.app.edge.database, idle_expires_at_ms=1)
    assert await refresh_error(house, "phone", house.values["phone_refresh"]) == "invalid_grant"


@must(6749, "5.2", "a revoked refresh token is invalid_grant")
async def _(house: House) -> None:
    await house.clients["phone"].revoke(house.values["phone_refresh"])
    assert await refresh_error(house, "phone", house.values["phone_refresh"]) == "invalid_grant"


@must(6749, "10.4", "a refresh token that was used before ends the session")
async def _(house: House) -> None:
    assert await refresh_error(house, "phone", house.values["phone_spent"]) == "invalid_grant"
    assert await refresh_error(house, "phone", house.values["phone_renewed"]) == "invalid_grant"


@must(6749, "10.4", "a refresh token is bound to its client before anything else is looked at")
async def _(house: House) -> None:
    assert await refresh_error(house, "tablet", house.values["phone_spent"]) == "invalid_grant"
    assert await refresh_error(house, "phone", house.values["phone_renewed"]) is None


@must(6749, "10.4", "a refresh token cannot be modified")
async def _(house: House) -> None:
    token = house.values["phone_refresh"]
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert await refresh_error(house, "phone", changed) == "invalid_grant"
    assert await refresh_error(house, "phone", token) is None


@must(6749, "4.4.3", "a client that signs in for itself gets no refresh token")
async def _(house: House) -> None:
    assert "refresh_token" not in await house.clients["machine"].sign_in()


@must(6749, "5.2", "whatever is sent, errors are of the characters allowed")
async def _(house: House) -> None:
    nasty = ['"', "\\", "\r\nSet-Cookie: a=b", "\u00e4\u20ac\U0001f511", "\0", "<script>", "%", "'"]
    names = ("grant_type", "client_id", "client_secret", "username", "password", "scope")
    for path in OAUTH_PATHS:
        for name in (*names, "refresh_token", "token", "token_type_hint", "other"):
            for value in nasty:
                form = {"grant_type": "password", "username": "ann", "password": "x", name: value}
                answer = await house.app.http.post(path, data=form)
                if answer.status_code != 200:
                    check_oauth_error(answer, answer.json()["error"])


@must(6750, "3.1", "an expired token is invalid_token")
async def _(house: House) -> None:
    answer = await house.bearer(signed(house, exp=issued_at_s(house) - 60))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


@must(6750, "3.1", "a revoked token is invalid_token")
async def _(house: House) -> None:
    await house.clients["phone"].revoke(house.values["phone_access"])
    answer = await house.bearer(house.values["phone_access"])
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@must(7009, "2.1", "nothing of another client's token is revoked")
async def _(house: House) -> None:
    for token in (house.values["phone_refresh"], house.values["phone_access"]):
        check_oauth_error(await house.clients["tablet"].revoke(token), "invalid_grant")
    assert await rows_of(house.app.edge.database, revocations) == []
    assert (await house.bearer(house.values["phone_access"])).status_code == 200


@must(7009, "2.1", "with a refresh token die the access tokens of its grant, at once")
async def _(house: House) -> None:
    await house.clients["phone"].revoke(house.values["phone_refresh"])
    assert (await house.bearer(house.values["phone_access"])).status_code == 401


@must(7662, "4", "what has expired, was revoked or is for somebody else is not active")
async def _(house: House) -> None:
    past, future = issued_at_s(house) - 60, issued_at_s(house) + 600
    await house.clients["portal"].revoke(house.values["portal_access"])
    for token in (
        house.values["portal_access"],
        signed(house, exp=past),
        signed(house, nbf=future),
        signed(house, aud="somebody-else"),
        signed(house, iss="https://somebody.else"),
        house.values["phone_spent"],
    ):
        answer = await house.clients["gateway"].introspect(token)
        assert answer.json() == {"active": False}


@must(7662, "2.2", "whoever may ask about every token is told about every token")
async def _(house: House) -> None:
    for token in (house.values["phone_access"], house.values["phone_refresh"]):
        assert (await house.clients["gateway"].introspect(token)).json()["active"]


@must(8414, "3.3", "the issuer is the one that tokens name")
async def _(house: House) -> None:
    metadata = (await house.app.get(WELL_KNOWN)).json()
    _, claims = decode(house.values["phone_access"])
    assert metadata["issuer"] == claims["iss"]
    assert not set("?#") & set(metadata["issuer"])


@must(8414, "3.2", "members with zero elements are left out")
async def _(house: House) -> None:
    assert [] not in (await house.app.get(WELL_KNOWN)).json().values()


@must(9068, "2", "an access token is of type at+jwt and signed")
async def _(house: House) -> None:
    header, _ = decode(house.values["phone_access"])
    assert header["typ"] == "at+jwt"
    assert header["alg"] not in ("none", None)


@must(9068, "2.2", "an access token has all claims that are required")
async def _(house: House) -> None:
    for token in (
        house.values["phone_access"],
        (await house.clients["machine"].sign_in())["access_token"],
    ):
        _, claims = decode(token)
        assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)


@must(9068, "2.2.3", "an access token says its scope")
async def _(house: House) -> None:
    token = (await house.clients["phone"].login("ann", scope="profile"))["access_token"]
    assert decode(token)[1]["scope"] == "profile"


@must(9068, "5", "the subject of a client is nobody else's")
async def _(house: House) -> None:
    user = await house.app.edge.accounts.find_by_name("ann")
    assert user is not None
    impostor = await add_client(house.app, str(user.id))
    token = (await impostor.sign_in())["access_token"]
    assert decode(token)[1]["sub"] != decode(house.values["phone_access"])[1]["sub"]
    assert (await house.bearer(token, "/users/me")).status_code == 403


@must(9068, "4", "a token of another issuer, audience or type is refused as invalid_token")
async def _(house: House) -> None:
    good = house.values["phone_access"]
    header, _ = decode(good)
    for token, code in (
        (signed(house, iss="https://somebody.else"), "issuer_unknown"),
        (signed(house, aud="somebody-else"), "audience_mismatch"),
        (joined({**header, "typ": "JWT"}, good), "type_mismatch"),
        (joined({**header, "typ": "secevent+jwt"}, good), "type_mismatch"),
    ):
        answer = await house.bearer(token)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@must(8725, "3.2", "the algorithm is the key's, and none is no algorithm")
async def _(house: House) -> None:
    good = house.values["phone_access"]
    header, _ = decode(good)
    unsigned = good.rpartition(".")[0] + "."
    for algorithm in ("none", "None", "HS256", "RS256", ""):
        for token in (good, unsigned):
            forged = joined({**header, "alg": algorithm}, token)
            assert (await house.bearer(forged)).status_code == 401


@must(8725, "3.10", "what a header says of keys is not followed")
async def _(house: House) -> None:
    header, _ = decode(house.values["phone_access"])
    for kid in ("../../../dev/null", "' OR 1=1 --", "http://127.0.0.1:1/", "\0"):
        forged = joined({**header, "kid": kid}, house.values["phone_access"])
        answer = await house.bearer(forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")


@must(7517, "4", "published keys have a kid of their own, a use and an algorithm")
async def _(house: House) -> None:
    keys = (await house.app.get("/.well-known/jwks.json")).json()["keys"]
    assert keys
    assert all({"kid", "use", "alg", "kty"} <= set(key) for key in keys)
    assert len({key["kid"] for key in keys}) == len(keys)


@must(7517, "9.2", "nothing private is published")
async def _(house: House) -> None:
    keys = (await house.app.get("/.well-known/jwks.json")).json()["keys"]
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert not any(private & set(key) for key in keys)


ROWS: Final[list[Row | Story]] = [
    *rows_6749(),
    *rows_6750(),
    *rows_7009(),
    *rows_7662(),
    *rows_8414_and_7517(),
    *STORIES,
]


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"RFC {row.rfc} section {row.section}: {row.law}"
)
async def test_what_the_rfcs_demand(house: House, row: Row | Story) -> None:
    """Each row states its law."""
    await row.check(house)
