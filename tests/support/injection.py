"""What SQL injection needs to be found out: where strings go in, and what the database holds."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import MetaData, select

from edge.stores.sql import Database

# Quotes left open, conditions that hold, statements of one's own, columns of ours, what drivers
# take for parameters, and quotes that only become ones when text is normalised.
PAYLOADS: Final = (
    "'",
    '"',
    "\\",
    "' OR '1'='1",
    '" OR "1"="1',
    "' OR 1=1 --",
    "') OR ('1'='1",
    "\\' OR 1=1 --",
    "actor' --",
    "x' UNION SELECT * FROM users --",
    "x'; DROP TABLE users; --",
    "x'; DELETE FROM sessions; --",
    "x'; UPDATE users SET roles = '[]'; --",
    "x', roles = '[]",
    "x', is_disabled = '1",
    "x' WHERE '1'='1",
    "x' || (SELECT password_hash FROM users LIMIT 1) || '",
    "%' OR username LIKE '%",
    "1 OR 1=1",
    "1; DROP TABLE users",
    ":username %(username)s $1 ? {0}",
    "\uff07 OR 1=1 --",
    "x'\0 OR 1=1 --",
)

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Tables = dict[str, dict[Key, Row]]


class Input(msgspec.Struct, frozen=True):
    """A place of the API where a string goes in.

    `place` is path, query, header, basic or body; `body` is json, form or empty, and `beside` are
    the fields that it needs.
    """

    method: str
    path: str
    place: str
    name: str
    body: str = ""
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.name} in {self.place}"


class Change(msgspec.Struct, frozen=True):
    """One thing that is different: a column of a row, or a whole row that came or went."""

    table: str
    row: str
    what: str


def inputs(document: Mapping[str, Any]) -> Iterator[Input]:
    """Give every parameter and every field of a body that an OpenAPI document has strings in."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body, schema = _body(operation, document)
            beside = tuple(schema.get("required", ()))
            for parameter in operation.get("parameters", []):
                # In a URL a number is a string, too.
                yield Input(method, path, parameter["in"], parameter["name"], body, beside)
            for name, field in schema.get("properties", {}).items():
                if _takes_strings(field):
                    yield Input(method, path, "body", name, body, beside)


async def read_schema(database: Database) -> MetaData:
    """Read from the database which tables and columns it has."""
    found = MetaData()
    async with database.reading() as connection:
        await connection.run_sync(found.reflect)
    return found


async def read_tables(database: Database, schema: MetaData) -> Tables:
    """Read all that the database holds."""
    tables: Tables = {}
    async with database.reading() as connection:
        for table in schema.sorted_tables:
            rows = (await connection.execute(select(table))).mappings().all()
            keys = [column.name for column in table.primary_key]
            tables[table.name] = {tuple(row[key] for key in keys): dict(row) for row in rows}
    return tables


def differences(before: Tables, after: Tables, *, actor: object) -> set[Change]:
    """Give what changed, with the rows of whoever acts named alike for every actor.

    Of a row that came, the columns that say what it may do are named too.
    """
    return {
        change
        for table in before
        for key in before[table].keys() | after[table].keys()
        for change in _changes(
            table, before[table].get(key), after[table].get(key), actor=str(actor)
        )
    }


_TELLING: Final = ("roles", "scopes", "epoch", "is_disabled", "is_demo", "client_id", "kind")


def _changes(table: str, before: Row | None, after: Row | None, *, actor: str) -> Iterator[Change]:
    row = before or after or {}
    owner = str(row.get("user_id", row.get("id", "")))
    whose = "the actor's" if owner.replace("-", "") == actor.replace("-", "") else owner
    if before is None:
        telling = {name: row[name] for name in _TELLING if name in row}
        yield Change(table, "new", f"{telling}")
    elif after is None:
        yield Change(table, whose, "gone")
    else:
        for name, value in before.items():
            if after[name] != value:
                yield Change(table, whose, name)


def _body(
    operation: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        kind = "json" if media_type == "application/json" else "form"
        return kind, _resolved(body["schema"], document)
    return "", {}


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    resolved: Mapping[str, Any] = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        resolved = resolved[step]
    return resolved


def _takes_strings(schema: Mapping[str, Any]) -> bool:
    kinds = [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]
    return any(
        kind.get("type") == "string"
        or (kind.get("type") == "array" and _takes_strings(kind.get("items", {})))
        for kind in kinds
    )
