"""From the environment, secret files and TOML to `Settings`, gathering every problem on the way.

The environment wins over a file named by `EDGE_X_FILE`, which wins over TOML, which wins over the
default. Each field is decoded by itself, so that one bad value does not hide the next.
"""

import difflib
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from edge.settings.checks import check
from edge.settings.findings import Finding, SettingsError
from edge.settings.model import RatePolicy, Settings
from edge.settings.rate_policies import faults_of
from edge.settings.secret import Secret

PREFIX: Final = "EDGE_"
CONFIG_VARIABLE: Final = "EDGE_CONFIG"
DEFAULT_CONFIG: Final = Path("edge.toml")
DEFAULT_ORIGIN: Final = "default"


class Field(msgspec.Struct, frozen=True):
    """One setting: where it lives in `Settings`, and all of its names."""

    section: str | None
    name: str
    type: Any
    description: str
    default: object

    @property
    def variable(self) -> str:
        parts = (self.section, self.name) if self.section else (self.name,)
        return PREFIX + "_".join(parts).upper()

    @property
    def toml_key(self) -> str:
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def is_secret(self) -> bool:
        return Secret in (self.type, *typing.get_args(_bare(self.type)))


class Loaded(msgspec.Struct, frozen=True):
    """What was read: the settings, where each came from, and what is wrong with them.

    Where `errors` is not empty, the fields at fault hold their defaults.
    """

    settings: Settings
    origins: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def or_raise(self) -> Settings:
        """Give the settings.

        Raises:
            SettingsError: there is at least one error.
        """
        if self.errors:
            raise SettingsError(self.errors)
        return self.settings


def load(environ: Mapping[str, str]) -> Loaded:
    """Read every source once; raises nothing: all that is wrong is in the result."""
    reader = _Reader(environ)
    values = [(field, reader.read(field)) for field in fields()]
    settings = _assemble(values)
    known_bad = {finding.variable for finding in reader.findings}
    derived = (finding for finding in check(settings) if finding.variable not in known_bad)
    findings = (*reader.findings, *reader.unknown_names(), *derived)
    return Loaded(settings, reader.origins, findings)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read every source once.

    Raises:
        SettingsError: there is at least one error; it holds them all.
    """
    return load(environ).or_raise()


def fields() -> Iterator[Field]:
    """Every setting, in the order of the model."""
    for info in msgspec.structs.fields(Settings):
        section = _bare(info.type)
        if isinstance(section, type) and issubclass(section, msgspec.Struct):
            for inner in msgspec.structs.fields(section):
                yield _field(info.name, inner)
        else:
            yield _field(None, info)


def _field(section: str | None, info: msgspec.structs.FieldInfo) -> Field:
    default = info.default if info.default is not msgspec.NODEFAULT else info.default_factory()
    return Field(section, info.name, info.type, _description(info), default)


def _description(info: msgspec.structs.FieldInfo) -> str:
    metas = typing.get_args(info.type)[1:]
    return next(str(meta.description) for meta in metas if meta.description)


def _bare(annotated: Any) -> Any:  # noqa: ANN401  # a type expression
    if typing.get_origin(annotated) is typing.Annotated:
        return typing.get_args(annotated)[0]
    return annotated


def _assemble(values: Sequence[tuple[Field, object]]) -> Settings:
    top: dict[str, Any] = {}
    for field, value in values:
        place = top.setdefault(field.section, {}) if field.section else top
        place[field.name] = value
    for info in msgspec.structs.fields(Settings):
        section = _bare(info.type)
        if isinstance(section, type) and issubclass(section, msgspec.Struct):
            top[info.name] = section(**top[info.name])
    return Settings(**top)


class _WrongTableError(Exception):
    """Tables of a list have mistakes, each of them a finding."""


class _Found(msgspec.Struct, frozen=True):
    """A value as it was found; text is decoded, TOML has types already."""

    raw: object
    origin: str
    is_text: bool


class _Reader:
    """Looks each field up in the sources and keeps what was wrong and what was used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
        self.findings: list[Finding] = []
        self.origins: dict[str, str] = {}
        self._config_path, self._toml = self._read_toml()

    def read(self, field: Field) -> object:
        sources = (self._from_environ(field), self._from_file(field), self._from_toml(field))
        found = next((source for source in sources if source is not None), None)
        if found is None:
            self.origins[field.variable] = DEFAULT_ORIGIN
            return field.default
        self.origins[field.variable] = found.origin
        try:
            type_ = _table_type(field)
            if type_ is not None:
                return self._read_tables(field, type_, _list_of(found))
            return _convert(found, field)
        except _WrongTableError:
            return field.default
        except ValueError as error:  # msgspec.ValidationError is one
            self._error(field.variable, _sentence(error, field), f"set it to {field.description}")
            return field.default

    def _read_tables(
        self, field: Field, type_: type[msgspec.Struct], tables: Sequence[object]
    ) -> tuple[msgspec.Struct, ...]:
        before = len(self.findings)
        read = [self._read_table(field, type_, *numbered) for numbered in enumerate(tables)]
        if len(self.findings) > before:
            for number, table in enumerate(read):  # as `check` does where all could be read
                if isinstance(table, RatePolicy):
                    self.findings += faults_of(table, f"{field.variable}[{number}]")
            raise _WrongTableError
        return tuple(table for table in read if table is not None)

    def _read_table(
        self, field: Field, type_: type[msgspec.Struct], number: int, table: object
    ) -> msgspec.Struct | None:
        """Decode one table of a list, key by key, so that every mistake in it is a finding."""
        keys = {info.name: info for info in msgspec.structs.fields(type_)}
        place = f"{field.variable}[{number}]"
        if not isinstance(table, dict):
            self._error(place, "is no table", f"write it as [[{field.toml_key}]]")
            return None
        before = len(self.findings)
        values = {}
        for name in sorted(table.keys() - keys.keys()):
            self.findings.append(_unknown(f"{place}.{name}", "is not a setting of Edge", set(keys)))
        for name, info in keys.items():
            description = _description(info)
            if name not in table:
                if info.required:
                    self._error(f"{place}.{name}", "is missing", f"set it to {description}")
                continue
            try:
                values[name] = msgspec.convert(table[name], info.type, dec_hook=_decode_custom)
            except ValueError as error:
                self._error(
                    f"{place}.{name}", f"is not usable: {error}", f"set it to {description}"
                )
        return type_(**values) if len(self.findings) == before else None

    def unknown_names(self) -> Iterator[Finding]:
        known = {field.variable: field for field in fields()}
        variables = {CONFIG_VARIABLE, *known}
        variables |= {f"{name}_FILE" for name, field in known.items() if field.is_secret}
        for name in sorted(set(self._environ) - variables):
            yield _unknown(name, "is not a setting of Edge", variables)
        keys = {field.toml_key for field in known.values()}
        sections = {field.section for field in known.values() if field.section}
        for key in _toml_keys(self._toml, sections):
            if key not in keys:
                yield _unknown(key, f"in {self._config_path} is not a setting of Edge", keys)

    def _read_toml(self) -> tuple[Path, dict[str, Any]]:
        named = self._environ.get(CONFIG_VARIABLE)
        path = Path(named) if named else DEFAULT_CONFIG
        if named is None and not path.exists():
            return path, {}
        try:
            return path, tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            problem = f"names {path}, which cannot be read: {error.strerror}"
            self._error(CONFIG_VARIABLE, problem, "name a readable TOML file")
        except ValueError as error:  # tomllib.TOMLDecodeError and UnicodeDecodeError are
            self._error(CONFIG_VARIABLE, f"names {path}, not valid TOML: {error}", "mend the file")
        return path, {}

    def _from_environ(self, field: Field) -> _Found | None:
        text = self._environ.get(field.variable)
        return None if text is None else _Found(text, field.variable, is_text=True)

    def _from_file(self, field: Field) -> _Found | None:
        variable = f"{field.variable}_FILE"
        path = self._environ.get(variable)
        if path is None or not field.is_secret:
            return None
        if field.variable in self._environ:
            self._error(variable, f"is set, and {field.variable} too", "keep one of the two")
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:  # no text, or a NUL in the name
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            # Without the name: some put the secret itself there.
            problem = f"names a file that cannot be read: {reason}"
            self._error(variable, problem, "name a readable file that holds the secret")
            return None
        return _Found(text, variable, is_text=True)

    def _from_toml(self, field: Field) -> _Found | None:
        table = self._toml.get(field.section, {}) if field.section else self._toml
        if not isinstance(table, dict) or field.name not in table:
            return None
        origin = f"{self._config_path} ({field.toml_key})"
        return _Found(table[field.name], origin, is_text=False)

    def _error(self, variable: str, problem: str, fix: str) -> None:
        self.findings.append(Finding("error", variable, problem, fix))


def _table_type(field: Field) -> type[msgspec.Struct] | None:
    """Give the type of the tables where the setting is a list of tables."""
    inner = typing.get_args(_bare(field.type))[:1]
    return inner[0] if inner and isinstance(inner[0], type(msgspec.Struct)) else None


def _list_of(found: _Found) -> list[object]:
    """Give the entries of a list, in the environment written as JSON.

    Raises:
        ValueError: it is no list.
    """
    raw = msgspec.json.decode(found.raw) if isinstance(found.raw, str) else found.raw
    return msgspec.convert(raw, list[object])


def _convert(found: _Found, field: Field) -> object:
    raw = found.raw
    if found.is_text and isinstance(raw, str):
        raw = _structured(raw, _bare(field.type))
    return msgspec.convert(raw, field.type, strict=not found.is_text, dec_hook=_decode_custom)


def _structured(text: str, type_: object) -> object:
    """Lists may be written `a,b` or as JSON, maps as JSON; everything else is decoded as it is."""
    container = typing.get_origin(type_)
    if container not in (tuple, dict):
        return text
    if container is dict or text.lstrip().startswith("["):
        return msgspec.json.decode(text)
    return [item.strip() for item in text.split(",") if item.strip()]


def _decode_custom(type_: type, value: object) -> object:
    if not isinstance(value, str) or not value:
        message = "Expected text that is not empty"
        raise ValueError(message)
    if type_ in (Secret, Path):
        return type_(value)
    raise NotImplementedError(type_)


def _sentence(error: ValueError, field: Field) -> str:
    if field.is_secret:
        return "is not usable"  # whatever the decoder says of it might repeat it
    return f"is not usable: {error}"


def _toml_keys(document: Mapping[str, Any], sections: set[str]) -> Iterator[str]:
    for key, value in document.items():
        if key in sections and isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in value)
        else:
            yield key


def _unknown(name: str, problem: str, known: set[str]) -> Finding:
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "remove it, or see docs/settings.md for the names"
    return Finding("error", name, problem, fix)
