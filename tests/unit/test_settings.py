"""Settings: every source, every rule, every problem told at once, and no secret told ever."""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.settings import Finding, Loaded, Secret, Settings, SettingsError, load
from edge.settings.key_file import read_or_create
from edge.settings.model import Server
from edge.settings.secret import decode_secret_key, derive_key
from edge.settings.sources import fields
from tests.support.secrets import remember

GOOD_KEY: Final = base64.b64encode(hashlib.sha256(b"a good key").digest()).decode()
OTHER_KEY: Final = base64.b64encode(hashlib.sha256(b"another key").digest()).decode()
DATABASE_PASSWORD: Final = "correct-horse-battery"
DATABASE_URL: Final = f"postgresql://edge:{DATABASE_PASSWORD}@db.example.com/edge"
remember(GOOD_KEY, OTHER_KEY, DATABASE_PASSWORD)

PRODUCTION: Final = {
    "EDGE_ENVIRONMENT": "production",
    "EDGE_ISSUER": "https://id.example.com",
    "EDGE_SECRET_KEY": GOOD_KEY,
}

SECRET_VARIABLES: Final = (
    "EDGE_SECRET_KEY",
    "EDGE_SECRET_KEY_PREVIOUS",
    "EDGE_DATABASE_URL",
    "EDGE_REDIS_URL",
)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep an `edge.toml` of whoever runs the tests out of them."""
    monkeypatch.chdir(tmp_path)


class TestSources:
    def test_without_any_source_everything_is_default(self) -> None:
        """An empty environment gives the defaults of the model, without an error."""
        loaded = load({})
        assert loaded.settings == Settings()
        assert loaded.errors == ()
        assert set(loaded.origins.values()) == {"default"}

    def test_the_environment_wins_over_file_over_toml_over_default(self, tmp_path: Path) -> None:
        """Taking the strongest source away each time uncovers the next, which is then named."""
        toml = write(tmp_path / "edge.toml", 'secret_key = "from toml"')
        file = write(tmp_path / "key", "from file")
        environ = {
            "EDGE_SECRET_KEY": "from environment",
            "EDGE_SECRET_KEY_FILE": str(file),
            "EDGE_CONFIG": str(toml),
        }
        seen = []
        for name in (*environ, None):
            loaded = load(environ)
            value = loaded.settings.secret_key
            seen.append((value and value.reveal(), loaded.origins["EDGE_SECRET_KEY"]))
            if name:
                environ = {key: text for key, text in environ.items() if key != name}
                if name == "EDGE_CONFIG":
                    toml.unlink()
        assert seen == [
            ("from environment", "EDGE_SECRET_KEY"),
            ("from file", "EDGE_SECRET_KEY_FILE"),
            ("from toml", f"{toml} (secret_key)"),
            (None, "default"),
        ]

    def test_every_setting_can_be_set_in_the_environment(self) -> None:
        """Each field has one variable of its own, and its default is read back from text."""
        environ = {field.variable: as_text(field.default) for field in fields()}
        settable = {name: text for name, text in environ.items() if text}
        loaded = load(settable)
        assert loaded.settings == Settings()
        assert {loaded.origins[name] for name in settable} == set(settable)

    def test_every_setting_can_be_set_in_toml(self, tmp_path: Path) -> None:
        """Each field has one TOML key, and its default is read back from there."""
        settable = [field for field in fields() if field.default is not None]
        lines = [f"{field.toml_key} = {as_toml(field.default)}" for field in settable]
        write(tmp_path / "edge.toml", "\n".join(lines))
        loaded = load({})
        assert loaded.errors == ()
        assert loaded.settings == Settings()
        for field in settable:
            assert loaded.origins[field.variable] == f"edge.toml ({field.toml_key})"

    def test_edge_toml_in_the_current_folder_is_read(self, tmp_path: Path) -> None:
        """Without EDGE_CONFIG the file `edge.toml` is used where there is one."""
        write(tmp_path / "edge.toml", "[server]\nport = 9001")
        loaded = load({})
        assert loaded.settings.server.port == 9001
        assert loaded.origins["EDGE_SERVER_PORT"] == "edge.toml (server.port)"

    def test_a_named_config_replaces_the_default_one(self, tmp_path: Path) -> None:
        """With EDGE_CONFIG the file `edge.toml` is not read."""
        write(tmp_path / "edge.toml", "[server]\nport = 9001")
        other = write(tmp_path / "other.toml", '[server]\nhost = "0.0.0.0"')
        server = load({"EDGE_CONFIG": str(other)}).settings.server
        assert (server.host, server.port) == ("0.0.0.0", 8000)  # noqa: S104

    @pytest.mark.parametrize("name", ["EDGE", "EDGE_SERVER", "E"])
    def test_the_environment_is_text_whatever_the_config_is_called(
        self, tmp_path: Path, name: str
    ) -> None:
        """A number in the environment is read as one beside a TOML file of any name."""
        write(tmp_path / name, 'service_name = "Ours"')
        loaded = load({"EDGE_CONFIG": name, "EDGE_SERVER_PORT": "9001"})
        assert loaded.errors == ()
        assert loaded.settings.server.port == 9001
        assert loaded.settings.service_name == "Ours"

    def test_variables_of_others_are_not_looked_at(self) -> None:
        """Only names that begin with EDGE_ are Edge's."""
        assert load({"PATH": "/bin", "EDGES": "1", "MY_EDGE_DEMO": "1"}).errors == ()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("10.0.0.0/8", ("10.0.0.0/8",)),
            ("10.0.0.0/8,192.168.0.0/16", ("10.0.0.0/8", "192.168.0.0/16")),
            (" 10.0.0.0/8 , fd00::/8 ,", ("10.0.0.0/8", "fd00::/8")),
            ('["10.0.0.0/8", "fd00::/8"]', ("10.0.0.0/8", "fd00::/8")),
            ("", ()),
        ],
    )
    def test_lists_are_written_with_commas_or_as_json(
        self, text: str, expected: tuple[str, ...]
    ) -> None:
        """Both spellings of a list in the environment give the same values."""
        assert load({"EDGE_PROXIES_TRUSTED": text}).settings.proxies.trusted == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("forwarded", ("forwarded",)),
            ("x-forwarded-for", ("x-forwarded-for",)),
            ("x-forwarded-for,x-forwarded-host", ("x-forwarded-for", "x-forwarded-host")),
            ("", ()),
        ],
    )
    def test_lists_may_be_of_words_that_are_given(
        self, text: str, expected: tuple[str, ...]
    ) -> None:
        """The fields that proxies write are read like any other list."""
        assert load({"EDGE_PROXIES_FIELDS": text}).settings.proxies.fields == expected

    def test_maps_are_written_as_json(self) -> None:
        """A map in the environment is one JSON object."""
        environ = {"EDGE_ACCESS_ROLE_INCLUDES": '{"admin": ["moderator", "user"]}'}
        access = load(environ).settings.access
        assert access.role_includes == {"admin": ("moderator", "user")}


class TestSecretFiles:
    @pytest.mark.parametrize("variable", SECRET_VARIABLES)
    def test_every_secret_can_be_in_a_file(self, tmp_path: Path, variable: str) -> None:
        """EDGE_X_FILE names a file whose text, without the newline at its end, is the secret."""
        file = write(tmp_path / "secret", f"{GOOD_KEY}\n")
        loaded = load({f"{variable}_FILE": str(file)})
        assert secrets_of(loaded)[variable] == Secret(GOOD_KEY)
        assert loaded.origins[variable] == f"{variable}_FILE"

    def test_the_list_of_secrets_is_complete(self) -> None:
        """What these tests take for all the secrets is all that the model marks as such."""
        assert {field.variable for field in fields() if field.is_secret} == set(SECRET_VARIABLES)

    def test_what_is_no_secret_has_no_file(self, tmp_path: Path) -> None:
        """EDGE_ISSUER_FILE is an unknown name, and the fix names EDGE_ISSUER."""
        file = write(tmp_path / "issuer", "https://id.example.com")
        finding = only_error(load({"EDGE_ISSUER_FILE": str(file)}))
        assert finding.variable == "EDGE_ISSUER_FILE"
        assert "EDGE_ISSUER?" in finding.fix

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_a_file_that_cannot_be_read_is_an_error(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        """A secret file that is not there, or not text, is an error that does not repeat its name.

        Some set the variable to the secret itself.
        """
        file = tmp_path / "secret"
        if content is not None:
            file.write_bytes(content)
        finding = only_error(load({"EDGE_SECRET_KEY_FILE": str(file)}))
        assert finding.variable == "EDGE_SECRET_KEY_FILE"
        assert str(file) not in str(finding)

    def test_an_empty_file_is_an_error(self, tmp_path: Path) -> None:
        """A secret file without a secret is not the same as no secret."""
        file = write(tmp_path / "secret", "\n")
        assert only_error(load({"EDGE_SECRET_KEY_FILE": str(file)})).variable == "EDGE_SECRET_KEY"


class TestProblems:
    def test_all_are_reported_at_once(self, tmp_path: Path) -> None:
        """One load names every problem of every source and of every kind."""
        toml = write(tmp_path / "edge.toml", "[tokens]\naccess_lifetime_s = 1\n[server]\nprot = 1")
        environ = {
            "EDGE_CONFIG": str(toml),
            "EDGE_ENVIRONMENT": "staging",
            "EDGE_SERVER_PORT": "eighty",
            "EDGE_SERVER_WORKERS": "0",
            "EDGE_DEMO": "perhaps",
            "EDGE_SECRET_KEY": "short",
            "EDGE_ISSUER": "ftp://example.com",
            "EDGE_PROXIES_TRUSTED": "10.0.0.1/8",
            "EDGE_ACCESS_SCOPES": "{",
            "EDGE_REDIS_URL_FILE": str(tmp_path / "nowhere"),
            "EDGE_SERVER_HOTS": "::1",
        }
        assert variables(load(environ)) == {
            "EDGE_TOKENS_ACCESS_LIFETIME_S",
            "server.prot",
            *(set(environ) - {"EDGE_CONFIG"}),
        }

    def test_raising_raises_all_of_them(self) -> None:
        """The exception holds every error and says each one's variable, problem and fix."""
        loaded = load({"EDGE_SERVER_PORT": "eighty", "EDGE_ENVIRONMENT": "staging"})
        with pytest.raises(SettingsError) as refused:
            loaded.or_raise()
        assert refused.value.findings == loaded.errors
        for finding in loaded.errors:
            for part in (finding.variable, finding.problem, finding.fix):
                assert part in str(refused.value)

    def test_warnings_do_not_stop(self) -> None:
        """Settings with warnings only are given, not refused."""
        loaded = load({"EDGE_TOKENS_PASSWORD_GRANT": "true"})
        assert [finding.severity for finding in loaded.findings] == ["warning"]
        assert loaded.or_raise() == loaded.settings

    def test_a_bad_value_leaves_its_neighbours_alone(self) -> None:
        """Where one value cannot be used, the default stands in and all others are kept."""
        server = load({"EDGE_SERVER_PORT": "eighty", "EDGE_SERVER_WORKERS": "3"}).settings.server
        assert (server.port, server.workers) == (8000, 3)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("EDGE_SECRETKEY", "EDGE_SECRET_KEY"),
            ("EDGE_SERVER_PROT", "EDGE_SERVER_PORT"),
            ("EDGE_DATABASEURL", "EDGE_DATABASE_URL"),
            ("EDGE_DATABASE_URL_FIEL", "EDGE_DATABASE_URL_FILE"),
            ("EDGE_CORS_ALLOWED_ORIGINS", "EDGE_CORS_ALLOW_ORIGINS"),
        ],
    )
    def test_an_unknown_variable_is_an_error_with_a_hint(self, name: str, meant: str) -> None:
        """A misspelt variable is not ignored; the fix asks about the one it resembles."""
        finding = only_error(load({name: "value"}))
        assert (finding.variable, finding.fix) == (name, f"did you mean {meant}?")

    @pytest.mark.parametrize(
        ("toml", "key", "meant"),
        [
            ("isuer = 'https://a.test'", "isuer", "issuer"),
            ("[server]\nprot = 1", "server.prot", "server.port"),
            ("[serve]\nport = 1", "serve", "server"),
            ("[cors]\norigins = []", "cors.origins", "cors.allow_origins"),
        ],
    )
    def test_an_unknown_toml_key_is_an_error_with_a_hint(
        self, tmp_path: Path, toml: str, key: str, meant: str
    ) -> None:
        """A misspelt key or section is not ignored; the fix asks about what it resembles."""
        write(tmp_path / "edge.toml", toml)
        finding = only_error(load({}))
        assert finding.variable == key
        assert meant in finding.fix

    def test_an_unknown_name_like_no_other_is_an_error_too(self) -> None:
        """Where nothing resembles the name, the fix is to remove it."""
        finding = only_error(load({"EDGE_XYZZY_PLUGH_QUUX": "1"}))
        assert "remove it" in finding.fix

    @pytest.mark.parametrize("toml", ["server = 3", "server = 'x'", "server = [1]", "cors = false"])
    def test_a_section_that_is_no_table_is_an_error(self, tmp_path: Path, toml: str) -> None:
        """A section given as a plain value is reported, never silently left out."""
        write(tmp_path / "edge.toml", toml)
        assert toml.partition(" ")[0] in only_error(load({})).variable.lower()

    @pytest.mark.parametrize(
        "toml",
        ["issuer.url = 1", "[server.port]\nx = 1", "[server]\nport = '8000'", "demo = 1979-05-27"],
    )
    def test_a_toml_value_of_another_type_is_an_error(self, tmp_path: Path, toml: str) -> None:
        """TOML has types of its own: nothing is guessed from text there."""
        write(tmp_path / "edge.toml", toml)
        only_error(load({}))

    @pytest.mark.parametrize(
        "content", [b"server = ", b"[server\n", b"\xff\xfe", b"a = 1\na = 2", b"a = nope"]
    )
    def test_bad_toml_is_an_error(self, tmp_path: Path, content: bytes) -> None:
        """A file that is not TOML is named, and nothing is taken from it."""
        toml = tmp_path / "broken.toml"
        toml.write_bytes(content)
        loaded = load({"EDGE_CONFIG": str(toml)})
        finding = only_error(loaded)
        assert finding.variable == "EDGE_CONFIG"
        assert str(toml) in finding.problem
        assert loaded.settings == Settings()

    @pytest.mark.parametrize("path", ["nowhere.toml", ".", ""])
    def test_a_named_config_that_cannot_be_read_is_an_error(self, path: str) -> None:
        """EDGE_CONFIG is a promise that the file is there."""
        assert only_error(load({"EDGE_CONFIG": path})).variable == "EDGE_CONFIG"

    @pytest.mark.parametrize(
        "text",
        ["{", "nope", "[]", "3", '{"a": "b"}', '{"a": [1]}', '{"a": null}', "", '{"a": ["b"]} x'],
    )
    @pytest.mark.parametrize("variable", ["EDGE_ACCESS_SCOPES", "EDGE_ACCESS_ROLE_INCLUDES"])
    def test_a_malformed_map_is_an_error(self, variable: str, text: str) -> None:
        """A map that is not a JSON object of lists of names is a finding, not an exception."""
        assert only_error(load({variable: text})).variable == variable

    @pytest.mark.parametrize(
        ("variable", "text"),
        [
            ("EDGE_SERVER_PORT", "65536"),
            ("EDGE_SERVER_PORT", "-1"),
            ("EDGE_SERVER_PORT", "80.5"),
            ("EDGE_SERVER_PORT", ""),
            ("EDGE_SERVER_WORKERS", "0"),
            ("EDGE_DATABASE_TIMEOUT_S", "0"),
            ("EDGE_DATABASE_TIMEOUT_S", "nan"),
            ("EDGE_DATABASE_TIMEOUT_S", "inf"),
            ("EDGE_PASSWORDS_MIN_LENGTH", "7"),
            ("EDGE_ACCESS_BASIC_CACHE_S", "301"),
            ("EDGE_DEMO", "yes please"),
            ("EDGE_DATA_DIR", ""),
            ("EDGE_TOKENS_CLIENT_ID", "a b"),
            ("EDGE_TOKENS_CLIENT_ID", "a\n"),
            ("EDGE_ACCESS_REALM", 'a"b'),
            ("EDGE_ACCESS_REALM", "a\n"),
            ("EDGE_LOG_LEVEL", "INFO!"),
            ("EDGE_PROXIES_TRUSTED", "[1, 2"),
            ("EDGE_PROXIES_TRUSTED", "10.0.0.0/33"),
            ("EDGE_PROXIES_TRUSTED", "0.0.0.0/0"),
            ("EDGE_PROXIES_TRUSTED", "::/0"),
            ("EDGE_PROXIES_TRUSTED", "proxy.example.com"),
            ("EDGE_PROXIES_FIELDS", "x-real-ip"),
            ("EDGE_PROXIES_FIELDS", "X-Forwarded-For"),
            ("EDGE_PROXIES_FIELDS", "forwarded,x-forwarded-for"),
            ("EDGE_PROXIES_FIELDS", "x-forwarded-host,forwarded"),
            ("EDGE_ISSUER", "id.example.com"),
            ("EDGE_ISSUER", "https://"),
            ("EDGE_ISSUER", "https://id.example.com/"),
            ("EDGE_ISSUER", "https://id.example.com?x=1"),
            ("EDGE_ISSUER", "https://id.example.com#x"),
            ("EDGE_ISSUER", "https://me@id.example.com"),
            ("EDGE_ISSUER", "https://[::1"),
            ("EDGE_DATABASE_URL", "mysql://localhost/edge"),
            ("EDGE_DATABASE_URL", ""),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.test/"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.test/path"),
            ("EDGE_CORS_ALLOW_ORIGINS", "a.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://*.a.test:x@b"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://A.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.test:443"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://b\u00fccher.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://*.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.*.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "*.a.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://**.a.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a .test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a..test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a\x01.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://%61.test"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.test:0"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://a.test:65536"),
            ("EDGE_CORS_ALLOW_ORIGINS", "https://*.[::1]"),
            ("EDGE_CORS_ALLOW_METHODS", "get"),
            ("EDGE_CORS_ALLOW_HEADERS", "X Y"),
            ("EDGE_CORS_MAX_AGE_S", "86401"),
            ("EDGE_HEADERS_HSTS", "max-age=1\r\nX: y"),
            ("EDGE_METRICS_BIND", "9100"),
            ("EDGE_METRICS_BIND", "127.0.0.1"),
            ("EDGE_METRICS_BIND", "127.0.0.1:0"),
            ("EDGE_METRICS_BIND", "127.0.0.1:65536"),
            ("EDGE_METRICS_BIND", "127.0.0.1:8000"),
            ("EDGE_METRICS_BIND", "::1:9100"),
            ("EDGE_METRICS_BIND", "localhost:9100/metrics"),
            ("EDGE_TOKENS_REFRESH_IDLE_S", "9999999999"),
            ("EDGE_PASSWORDS_PARALLELISM", "64000"),
            ("EDGE_ACCESS_ROLE_INCLUDES", '{"admin": ["admin"]}'),
            ("EDGE_ACCESS_SCOPES", '{"two words": ["user"]}'),
            ("EDGE_ACCESS_SCOPES", '{"": ["user"]}'),
        ],
    )
    def test_a_value_out_of_bounds_is_an_error(self, variable: str, text: str) -> None:
        """Each of these values is refused, by the name of its variable."""
        assert only_error(load({variable: text})).variable == variable

    def test_traces_need_what_sends_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the extra is not installed, that is told before anything starts."""
        traced = {"EDGE_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}
        assert load(traced).errors == ()

        def find_nothing(name: str) -> None:
            raise ModuleNotFoundError(name)

        monkeypatch.setattr("edge.settings.server_checks.find_spec", find_nothing)
        assert only_error(load(traced)).fix == "install it with: pip install 'edge[traces]'"

    @pytest.mark.parametrize("text", ["true", "1", "True", "false", "0", "False"])
    def test_truth_has_its_usual_spellings(self, text: str) -> None:
        """A switch is set by true, 1, false and 0."""
        loaded = load({"EDGE_EXAMPLE_ROUTES": text})
        assert loaded.errors == ()
        assert loaded.settings.example_routes is (text.lower() in ("true", "1"))

    @given(
        st.dictionaries(
            st.sampled_from(sorted({field.variable for field in fields()} - {"EDGE_CONFIG"})),
            st.text(st.characters(exclude_characters="\0"), max_size=40),
            max_size=5,
        )
    )
    def test_no_value_makes_loading_fail(self, environ: Mapping[str, str]) -> None:
        """Whatever the environment holds, loading gives settings and findings."""
        assert isinstance(load(environ).settings, Settings)


class TestSecrecy:
    @pytest.mark.parametrize("variable", SECRET_VARIABLES)
    @pytest.mark.parametrize(
        "value", ["hunter2-hunter2", "ftp://a:hunter2-hunter2@b:c", "\udc80" * 9]
    )
    def test_a_refused_secret_is_in_no_finding(self, variable: str, value: str) -> None:
        """What is wrong with a secret is told without the secret."""
        loaded = load({variable: value, "EDGE_ENVIRONMENT": "production"})
        assert value not in shown(loaded)
        assert "hunter2" not in shown(loaded)

    @pytest.mark.parametrize(
        "toml",
        [
            f"secret_key = ['{GOOD_KEY}']",
            f"[secret_key]\nvalue = '{GOOD_KEY}'",
            f"secret_kee = '{GOOD_KEY}'",
            f"database = '{GOOD_KEY}'",
            f"[database]\nurl = {{x = '{GOOD_KEY}'}}",
            f"secret_key = {GOOD_KEY}",
            f"secret_key = '{GOOD_KEY}",
        ],
    )
    def test_a_secret_in_bad_toml_is_in_no_finding(self, tmp_path: Path, toml: str) -> None:
        """A mistake around a secret is told without the secret."""
        write(tmp_path / "edge.toml", toml)
        loaded = load({})
        assert loaded.errors
        assert GOOD_KEY not in shown(loaded)

    def test_an_accepted_secret_is_in_no_representation(self) -> None:
        """Neither settings nor secrets show what they hold, however they are printed."""
        environ = {
            **PRODUCTION,
            "EDGE_DATABASE_URL": DATABASE_URL,
            "EDGE_REDIS_URL": f"redis://:{OTHER_KEY}@redis.example.com/0",
        }
        loaded = load(environ)
        assert loaded.errors == ()
        for secret in (GOOD_KEY, DATABASE_PASSWORD, OTHER_KEY):
            assert secret not in shown(loaded)
        assert loaded.settings.secret_key is not None
        assert loaded.settings.secret_key.reveal() == GOOD_KEY

    def test_secrets_are_equal_by_value(self) -> None:
        """Two secrets of the same text are the same, and differ from the text itself."""
        assert Secret(GOOD_KEY) == Secret(GOOD_KEY)
        assert hash(Secret(GOOD_KEY)) == hash(Secret(GOOD_KEY))
        assert Secret(GOOD_KEY) != Secret(OTHER_KEY)
        assert Secret(GOOD_KEY) != GOOD_KEY


class TestBaseUrl:
    @pytest.mark.parametrize(
        ("environ", "url"),
        [
            ({}, "http://127.0.0.1:8000"),
            ({"EDGE_SERVER_PORT": "9000"}, "http://127.0.0.1:9000"),
            ({"EDGE_SERVER_HOST": "edge.internal"}, "http://edge.internal:8000"),
            ({"EDGE_SERVER_HOST": "::1"}, "http://[::1]:8000"),
            ({"EDGE_SERVER_HOST": "0.0.0.0"}, "http://127.0.0.1:8000"),  # noqa: S104
            ({"EDGE_SERVER_HOST": "::", "EDGE_SERVER_PORT": "80"}, "http://[::1]:80"),
            ({"EDGE_ISSUER": "https://a.test", "EDGE_SERVER_PORT": "9000"}, "https://a.test"),
        ],
    )
    def test_it_is_where_edge_is_served_unless_it_is_set(
        self, environ: Mapping[str, str], url: str
    ) -> None:
        """Without an issuer, host and port say where people reach Edge; with one, it does."""
        assert load(environ).or_raise().base_url == url

    def test_it_says_when_edge_serves_https(self) -> None:
        """With a certificate of its own, Edge is reached in no other way."""
        server = Server(tls_certificate=Path("edge.pem"), port=8443)
        assert Settings(server=server).base_url == "https://127.0.0.1:8443"

    def test_an_empty_issuer_is_a_mistake(self) -> None:
        """Set to nothing is not the same as not set."""
        assert only_error(load({"EDGE_ISSUER": ""})).variable == "EDGE_ISSUER"


class TestProduction:
    def test_a_good_configuration_has_no_error(self) -> None:
        """The least that production needs is enough."""
        assert load(PRODUCTION).errors == ()

    @pytest.mark.parametrize(
        ("changes", "variable"),
        [
            ({"EDGE_SECRET_KEY": None}, "EDGE_SECRET_KEY"),
            ({"EDGE_SECRET_KEY": "change-me"}, "EDGE_SECRET_KEY"),
            ({"EDGE_ISSUER": "http://id.example.com"}, "EDGE_ISSUER"),
            ({"EDGE_ISSUER": None}, "EDGE_ISSUER"),
            (
                {"EDGE_CORS_ALLOW_ORIGINS": "*", "EDGE_CORS_ALLOW_CREDENTIALS": "true"},
                "EDGE_CORS_ALLOW_ORIGINS",
            ),
            (
                {
                    "EDGE_CORS_ALLOW_ORIGINS": "https://a.test,*",
                    "EDGE_CORS_ALLOW_CREDENTIALS": "true",
                },
                "EDGE_CORS_ALLOW_ORIGINS",
            ),
            ({"EDGE_DEMO": "true"}, "EDGE_DEMO"),
            ({"EDGE_SERVER_WORKERS": "2"}, "EDGE_SERVER_WORKERS"),
            (
                {"EDGE_PASSWORDS_MEMORY_KIB": "19456", "EDGE_PASSWORDS_TIME_COST": "1"},
                "EDGE_PASSWORDS_MEMORY_KIB",
            ),
        ],
    )
    def test_what_production_refuses(
        self, changes: Mapping[str, str | None], variable: str
    ) -> None:
        """Each of these changes to a good configuration is the one error of it."""
        environ = {name: text for name, text in {**PRODUCTION, **changes}.items() if text}
        assert only_error(load(environ)).variable == variable

    @pytest.mark.parametrize(
        "changes",
        [
            {"EDGE_CORS_ALLOW_ORIGINS": "*"},
            {"EDGE_CORS_ALLOW_ORIGINS": "https://a.test", "EDGE_CORS_ALLOW_CREDENTIALS": "true"},
            {"EDGE_SERVER_WORKERS": "2", "EDGE_REDIS_URL": "redis://redis.example.com/0"},
            {"EDGE_PASSWORDS_MEMORY_KIB": "19456", "EDGE_PASSWORDS_TIME_COST": "2"},
            {"EDGE_DATABASE_URL": DATABASE_URL},
        ],
    )
    def test_what_production_allows(self, changes: Mapping[str, str]) -> None:
        """Each of these is near a refused one, and fine."""
        assert load({**PRODUCTION, **changes}).errors == ()

    def test_production_warns_of_a_page_that_tells_all_routes(self) -> None:
        """EDGE_DOCS=on is allowed there, and said; development has the page without being told."""
        named = {
            name: {finding.variable for finding in load({**environ, "EDGE_DOCS": "on"}).findings}
            for name, environ in (("production", PRODUCTION), ("development", {}))
        }
        assert "EDGE_DOCS" in named["production"]
        assert "EDGE_DOCS" not in named["development"]
        assert load({**PRODUCTION, "EDGE_DOCS": "on"}).errors == ()

    @pytest.mark.parametrize(
        "environ",
        [
            {},
            {"EDGE_DEMO": "true"},
            {"EDGE_SERVER_WORKERS": "2"},
            {"EDGE_ISSUER": "http://127.0.0.1:8000"},
            {"EDGE_PASSWORDS_MEMORY_KIB": "64", "EDGE_PASSWORDS_PARALLELISM": "1"},
        ],
    )
    def test_what_development_allows(self, environ: Mapping[str, str]) -> None:
        """What only production refuses is fine for trying things."""
        assert load(environ).errors == ()

    def test_any_page_acting_as_the_user_is_refused_everywhere(self) -> None:
        """Wildcard CORS with credentials is an error in development too."""
        environ = {"EDGE_CORS_ALLOW_ORIGINS": "*", "EDGE_CORS_ALLOW_CREDENTIALS": "true"}
        assert only_error(load(environ)).variable == "EDGE_CORS_ALLOW_ORIGINS"


def random_bytes(seed: object) -> bytes:
    return hashlib.sha256(repr(seed).encode()).digest()


SPELLINGS: Final[dict[str, Callable[[bytes], str]]] = {
    "hex": bytes.hex,
    "HEX": lambda key: key.hex().upper(),
    "base64": lambda key: base64.b64encode(key).decode(),
    "base64 unpadded": lambda key: base64.b64encode(key).decode().rstrip("="),
    "base64url": lambda key: base64.urlsafe_b64encode(key).decode(),
    "base64url unpadded": lambda key: base64.urlsafe_b64encode(key).decode().rstrip("="),
    "with a newline": lambda key: base64.b64encode(key).decode() + "\n",
}

RFC7515_KEY: Final = (
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
)

REFUSED_KEYS: Final = {
    "nothing": "",
    "too short in hex": random_bytes(1)[:31].hex(),
    "too short in base64": SPELLINGS["base64"](random_bytes(1)[:31]),
    "twenty-four bytes in hex": random_bytes(1)[:24].hex(),
    "sixteen bytes in hex": random_bytes(1)[:16].hex(),
    "hex with an odd digit": random_bytes(1).hex() + "é",
    "zeros in hex": "0" * 64,
    "zeros in base64": SPELLINGS["base64"](bytes(32)),
    "one byte over and over": "ab" * 32,
    "a word over and over": "changeme" * 8,
    "eight random bytes four times": (random_bytes(1)[:8] * 4).hex(),
    "sixteen random bytes twice": SPELLINGS["base64"](random_bytes(1)[:16] * 2),
    "twenty-four random bytes twice": SPELLINGS["base64"](random_bytes(1)[:24] * 2),
    "counting up": bytes(range(32)).hex(),
    "counting down": bytes(range(255, 223, -1)).hex(),
    "counting up by threes": bytes(range(0, 96, 3)).hex(),
    "a sentence": "this is a very long secret that should be changed in production",
    "a sentence in base64": SPELLINGS["base64"](b"this is a very long secret to be changed"),
    "a sentence in hex": b"this is a very long secret to be changed".hex(),
    "a sentence without spaces": "thisisaverylongsecretthatshouldbechangedinproduction",
    "a sentence with hyphens": "this-is-a-very-long-secret-that-should-be-changed-today",
    "a sentence in capitals": "THIS_IS_A_VERY_LONG_SECRET_THAT_SHOULD_BE_CHANGED_TODAY",
    "the command that makes one": "openssl rand -base64 32",
    "a placeholder": "<32 random bytes in base64>",
    "RFC 7515 appendix A.1": RFC7515_KEY,
    "RFC 7515 appendix A.1 in base64": RFC7515_KEY.replace("-", "+").replace("_", "/"),
    "RFC 7515 appendix A.1 in hex": base64.urlsafe_b64decode(RFC7515_KEY + "==").hex(),
    "RFC 7520 section 3.5": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "RFC 7520 section 3.6": "qC57l_uxcm7Nm3K-ct4GFjx8tM1U8CZ0NLBvdQstiS8",
    "FastAPI tutorial": "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "Flask quickstart": "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "jwt.io": "your-256-bit-secret",
    "jwt.io, the newer one": "a-string-secret-at-least-256-bits-long",
}


class TestSecretKey:
    @pytest.mark.parametrize("spelling", SPELLINGS)
    @given(st.integers(min_value=0))
    def test_random_bytes_are_accepted_in_every_spelling(self, spelling: str, seed: int) -> None:
        """32 random bytes are decoded to themselves from hexadecimal, base64 and base64url."""
        key = random_bytes(seed)
        assert decode_secret_key(SPELLINGS[spelling](key)) == key

    @pytest.mark.parametrize("length", [33, 48, 64, 128])
    def test_more_bytes_are_accepted(self, length: int) -> None:
        """A longer key is fine and is used whole."""
        key = (random_bytes(1) + random_bytes(2) + random_bytes(3) + random_bytes(4))[:length]
        assert decode_secret_key(SPELLINGS["base64"](key)) == key
        assert decode_secret_key(key.hex()) == key

    @pytest.mark.parametrize("kind", REFUSED_KEYS)
    def test_a_key_that_can_be_guessed_is_refused(self, kind: str) -> None:
        """Short, repeated, textual and published keys are refused, without being repeated."""
        with pytest.raises(ValueError, match=r"^(is|decodes|repeats|counts) ") as refused:
            decode_secret_key(REFUSED_KEYS[kind])
        assert not REFUSED_KEYS[kind] or REFUSED_KEYS[kind] not in str(refused.value)

    @given(st.integers(min_value=0), st.integers(min_value=1, max_value=31))
    def test_a_short_key_does_not_grow_by_repetition(self, seed: int, length: int) -> None:
        """Fewer than 32 random bytes, written again and again, are still too few."""
        key = (random_bytes(seed)[:length] * 64)[: max(32, 2 * length)]
        with pytest.raises(ValueError, match="repeats"):
            decode_secret_key(key.hex())

    def test_purposes_have_unrelated_keys(self) -> None:
        """Each purpose has a key of its own, always the same for the same secret key."""
        key, other = random_bytes(1), random_bytes(2)
        derived = {derive_key(key, "a"), derive_key(key, "b"), derive_key(other, "a")}
        assert len(derived) == 3
        assert all(len(one) == 32 for one in derived)
        assert derive_key(key, "a") in derived


class TestKeyFile:
    def test_a_key_is_made_once_and_kept(self, tmp_path: Path) -> None:
        """The first call makes the file, for its owner only, and later ones read the same key."""
        path = tmp_path / "new folder" / "secret-key"
        key = read_or_create(path)
        assert read_or_create(path) == key
        assert len(key) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert os.listdir(path.parent) == ["secret-key"]  # noqa: PTH208

    def test_two_folders_have_two_keys(self, tmp_path: Path) -> None:
        """A made key is random."""
        assert read_or_create(tmp_path / "a") != read_or_create(tmp_path / "b")

    def test_a_spoilt_file_is_refused_and_kept(self, tmp_path: Path) -> None:
        """A file without a usable key is an error: replacing it would end all sessions."""
        path = write(tmp_path / "secret-key", "spoilt")
        with pytest.raises(ValueError, match=r"^decodes"):
            read_or_create(path)
        assert path.read_text(encoding="utf-8") == "spoilt"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def variables(loaded: Loaded) -> set[str]:
    return {finding.variable for finding in loaded.errors}


def only_error(loaded: Loaded) -> Finding:
    (error,) = loaded.errors
    return error


def secrets_of(loaded: Loaded) -> dict[str, Secret | None]:
    found = loaded.settings
    values = (
        found.secret_key,
        found.secret_key_previous,
        found.database.url,
        found.redis.url,
    )
    return dict(zip(SECRET_VARIABLES, values, strict=True))


def shown(loaded: Loaded) -> str:
    """Give everything that may be printed of loaded settings, in every usual way."""
    settings_ = loaded.settings
    parts = [settings_, loaded, *loaded.findings, SettingsError(loaded.findings)]
    parts += [value for value in secrets_of(loaded).values() if value]
    return "\n".join(f"{part}\n{part!r}\n{part:}" for part in parts)


def as_text(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    if isinstance(default, dict):
        return msgspec.json.encode(default).decode()
    return "" if default is None else str(default)


def as_toml(default: object) -> str:
    if isinstance(default, dict):
        pairs = (f"{key} = {as_toml(value)}" for key, value in default.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(default, Path):
        return as_toml(str(default))
    return msgspec.json.encode(default).decode()  # TOML writes the other types as JSON does
