"""Schemas of strict msgspec structs, which are what bodies are decoded to."""

from typing import Any

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition


class StrictStructs(OpenAPISchemaPlugin):
    """Lets msgspec describe the structs that forbid unknown fields, for it is what decodes them.

    Litestar does not tell that unknown fields are forbidden, and of a bounded `tuple[str, ...]` it
    makes a schema that no string fits. Which structs there are and how they refer to each other
    stays with the plugin that would do it without this one.
    """

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        if field_definition.is_union or not field_definition.is_subclass_of(msgspec.Struct):
            return False
        struct = field_definition.origin or field_definition.annotation
        return bool(struct.__struct_config__.forbid_unknown_fields)

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: SchemaCreator
    ) -> Schema:
        maker = next(
            plugin
            for plugin in schema_creator.plugins
            if plugin is not self and schema_creator.plugin_supports_field(plugin, field_definition)
        )
        schema: Schema = maker.to_openapi_schema(field_definition, schema_creator)
        schema.additional_properties = False
        schema.properties = {**(schema.properties or {}), **_fields(field_definition.annotation)}
        return schema


def _fields(struct: type) -> dict[str, Schema]:
    """Give what msgspec says of the fields that refer to no other schema.

    Nothing where the struct holds what only the app knows how to decode.
    """
    try:
        (reference,), components = msgspec.json.schema_components([struct], ref_template="{name}")
    except TypeError:
        return {}
    fields: dict[str, Any] = components[reference["$ref"]]["properties"]
    return {name: schema for name, schema in fields.items() if _is_plain(schema)}


def _is_plain(schema: object) -> bool:
    if isinstance(schema, dict):
        return "$ref" not in schema and all(map(_is_plain, schema.values()))
    return not isinstance(schema, list) or all(map(_is_plain, schema))
