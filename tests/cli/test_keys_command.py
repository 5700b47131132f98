"""`edge keys`."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey

from tests.cli.conftest import Run
from tests.support.secrets import remember

DELAY_S = 300 + 60 + 2 * 10  # the defaults of the JWK Set's age, the skew, two reload intervals
SLACK = timedelta(seconds=5)


def listed(run: Run, **environ: str) -> list[dict[str, Any]]:
    result = run("keys", "list", "--json", **environ)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def moment(key: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(key[name])


def refusal(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr


def test_the_first_key_is_there_and_active(run: Run) -> None:
    """A new database has one key of the algorithm that is set, which signs and has no end."""
    [key] = listed(run, TOKENS_ALGORITHM="EdDSA")
    assert (key["algorithm"], key["state"], key["retires_at"]) == ("EdDSA", "active", None)
    assert run("keys", "list").stdout.startswith(f"{key['kid']}  EdDSA  active  signs from 2")


def test_rotating_makes_a_key_that_signs_when_all_know_it(run: Run) -> None:
    """The new key is pending for a publish delay; the old one stays for the tokens it signs."""
    [old] = listed(run)
    result = run("keys", "rotate", "--json")
    assert result.exit_code == 0, result.output
    assert "refuses its tokens" not in result.stderr
    new = json.loads(result.stdout)
    before, after = listed(run)
    assert (before["kid"], before["state"]) == (old["kid"], "active")
    assert after == new
    assert new["state"] == "pending"
    activates = moment(new, "activates_at")
    assert activates == moment(new, "created_at") + timedelta(seconds=DELAY_S)
    lasts = timedelta(seconds=900 + 2 * 5 + DELAY_S)
    assert abs(moment(before, "retires_at") - activates - lasts) < SLACK


def test_rotating_now_says_what_breaks(run: Run) -> None:
    """In an emergency the new key signs at once, and it is said who will refuse its tokens."""
    listed(run)
    result = run("keys", "rotate", "--now")
    assert result.exit_code == 0, result.output
    assert "Whoever keeps the JWK Set refuses its tokens" in result.stderr
    assert "up to 360 s" in result.stderr
    assert [key["state"] for key in listed(run)] == ["retiring", "active"]


def test_a_key_may_be_added_for_later_but_not_for_too_early(run: Run) -> None:
    """`--in` is when it signs; less than the publish delay is the publish delay."""
    for asked, given in ((86_400, 86_400), (1, DELAY_S)):
        result = run("keys", "add", "--in", str(asked), "--algorithm", "PS256", "--json")
        assert result.exit_code == 0, result.output
        key = json.loads(result.stdout)
        waits = moment(key, "activates_at") - moment(key, "created_at")
        assert key["algorithm"] == "PS256"
        # The database reads its clock for each of the two.
        assert timedelta(0) <= waits - timedelta(seconds=given) < timedelta(seconds=1)


def test_what_signs_or_is_the_last_does_not_retire(run: Run) -> None:
    """Neither the active key nor the newest one goes, `--now` or not, and it is said why."""
    [old] = listed(run)
    assert "key_needed" in refusal(run("keys", "retire", old["kid"], "--now"))
    run("keys", "rotate")
    _, pending = listed(run)
    for kid in (old["kid"], pending["kid"]):
        assert "edge keys rotate" in refusal(run("keys", "retire", kid))
    assert "key_unknown" in refusal(run("keys", "retire", "nobody"))


def test_a_key_whose_tokens_live_retires_only_when_told_twice(run: Run) -> None:
    """A retiring key goes before its time with `--now` only; then it is in no JWK Set."""
    [old] = listed(run)
    run("keys", "rotate", "--now")
    assert "key_in_use" in refusal(run("keys", "retire", old["kid"]))
    result = run("keys", "retire", old["kid"], "--now")
    assert result.exit_code == 0, result.output
    assert "refused" in result.stderr
    assert [key["state"] for key in listed(run)] == ["retired", "active"]
    public = json.loads(run("keys", "export-public").stdout)["keys"]
    assert [key["kid"] for key in public] == [listed(run)[1]["kid"]]
    assert run("keys", "retire", old["kid"], "--now").exit_code == 0


def test_a_planned_key_retires_once_another_takes_its_place(run: Run) -> None:
    """What the active key's end waits for is kept; a key made later and sooner frees it."""
    listed(run)
    planned = json.loads(run("keys", "add", "--in", "1000", "--json").stdout)
    run("keys", "add", "--in", "5000")
    assert "key_needed" in refusal(run("keys", "retire", planned["kid"], "--now"))
    run("keys", "rotate")
    assert run("keys", "retire", planned["kid"]).exit_code == 0
    states = {key["kid"]: key["state"] for key in listed(run)}
    assert states.pop(planned["kid"]) == "retired"
    assert sorted(states.values()) == ["active", "pending", "pending"]


def pem(key: Any) -> str:  # noqa: ANN401  # a private key of any kind
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    remember("".join(text.splitlines()[1:-1]))
    return str(text)


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "ES256"),
        (lambda: pem(ec.generate_private_key(ec.SECP384R1())), "ES384"),
        (lambda: pem(ed25519.Ed25519PrivateKey.generate()), "EdDSA"),
        (lambda: pem(rsa.generate_private_key(65537, 2048)), "RS256"),
        (lambda: json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), "ES256"),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA", "JWK"],
)
def test_a_key_of_ones_own_is_imported(run: Run, tmp_path: Path, make: Any, algorithm: str) -> None:  # noqa: ANN401
    """A private key in PEM or as a JWK becomes the next one; the same again is refused."""
    file = tmp_path / "key"
    file.write_text(make())
    listed(run)
    result = run("keys", "import", str(file), "--json")
    assert result.exit_code == 0, result.output
    key = json.loads(result.stdout)
    assert (key["algorithm"], key["state"]) == (algorithm, "pending")
    assert "already" in refusal(run("keys", "import", str(file)))


_SHORT = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: "", "Expecting value"),
        (lambda: "[]", "no JWK"),
        (lambda: "{}", "key type"),
        (lambda: pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505  # weak
        (lambda: pem(ec.generate_private_key(ec.SECP521R1())), "curve"),
        (lambda: json.dumps({"kty": "oct", "k": _SHORT}), "shorter"),
        (lambda: json.dumps(ECKey.generate_key("P-256").as_dict(private=False)), "public"),
        (
            lambda: json.dumps({**ECKey.generate_key("P-256").as_dict(private=True), "kid": "a b"}),
            "kid",
        ),
        (lambda: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PEM"),
    ],
    ids=["empty", "list", "nothing", "RSA-1024", "P-521", "short", "public", "kid", "broken PEM"],
)
def test_a_key_not_fit_for_signing_is_refused(
    run: Run,
    tmp_path: Path,
    text: Callable[[], str],
    said: str,
) -> None:
    """What is weak, public or no key at all is refused with the reason, and nothing is stored."""
    file = tmp_path / "key"
    file.write_text(text())
    assert said in refusal(run("keys", "import", str(file)))
    assert len(listed(run)) == 1


def new_secret() -> str:
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    remember(secret)
    return secret


def test_keys_are_sealed_anew_after_the_secret_key_was_exchanged(run: Run) -> None:
    """With the old secret key as the previous one, `reseal` makes the old one needless."""
    old, new = new_secret(), new_secret()
    [key] = listed(run, SECRET_KEY=old)
    both = {"SECRET_KEY": new, "SECRET_KEY_PREVIOUS": old}
    assert listed(run, **both)[0]["sealed_with"] == "previous"
    assert "previous secret key" in run("keys", "list", **both).stdout
    assert run("keys", "reseal", **both).stdout == "1 key sealed anew\n"
    assert run("keys", "reseal", **both).stdout == "0 keys sealed anew\n"
    assert listed(run, SECRET_KEY=new) == [{**key, "sealed_with": "current"}]
    assert "EDGE_SECRET_KEY" in run("keys", "list", SECRET_KEY=old).stderr


def test_a_secret_is_never_published(run: Run) -> None:
    """An HS256 key signs and is listed; the JWK Set does not have it."""
    [key] = listed(run, TOKENS_ALGORITHM="HS256")
    assert key["algorithm"] == "HS256"
    assert json.loads(run("keys", "export-public").stdout) == {"keys": []}


@pytest.mark.parametrize("arguments", [("-UhbP_now", "--now"), ("--now", "--", "-UhbP_now")])
def test_a_kid_may_begin_with_a_hyphen(run: Run, arguments: tuple[str, ...]) -> None:
    """One in 64 does: it is looked for like another, and no letter of it is an option."""
    result = run("keys", "retire", *arguments)
    assert result.exit_code == 1
    assert "there is no such key" in result.stderr
