"""JSON Schemas of types, as msgspec checks them, with ids, examples and descriptions added.

Schemas            of all types of a document
parameter_schema   of a parameter in the path or the query
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import msgspec
from litestar.typing import FieldDefinition

from fechatter.config import Limits
from fechatter.domain.ids import MAX_ID
from fechatter.server.openapi.bounds import bounds
from fechatter.server.openapi.examples import EXAMPLES

_TEMPLATE = "#/components/schemas/{name}"
_ID = {"format": "int64", "minimum": 1}
_ABOUT = ("ge", "le", "min_length", "max_length", "min_items", "max_items", "pattern", "description")
_WORDS = {
    "ge": "minimum",
    "le": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "pattern": "pattern",
    "description": "description",
}


class Schemas:
    """
    components   by name, for the document
    """

    def __init__(self, kinds: Sequence[Any], limits: Limits) -> None:
        wanted = [kind for kind in kinds if kind is not None]
        made, self.components = msgspec.json.schema_components(wanted, ref_template=_TEMPLATE)
        self._made = list(zip(wanted, made, strict=True))
        for name, schema in self.components.items():
            _name_ids(schema)
            _bound(schema, bounds(limits).get(name, {}))
            if name in EXAMPLES:
                schema["examples"] = [EXAMPLES[name]]

    def media(self, kind: Any) -> dict[str, Any]:
        """The schema of a body, with its example."""
        schema = next(schema for each, schema in self._made if each == kind)
        return {"schema": schema} | _example(schema)


def parameter_schema(name: str, field: FieldDefinition) -> dict[str, Any]:
    """What the parameter must be. One that may be left out is not null: it is not there."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    schema = msgspec.json.schema(kinds[0] if field.is_optional else field.annotation)
    about = field.kwarg_definition
    for word in _ABOUT if about is not None else ():
        if (value := getattr(about, word, None)) is not None:
            schema[_WORDS[word]] = int(value) if isinstance(value, float) else value
    if field.default not in (None, ...) and isinstance(field.default, str | int):
        schema["default"] = field.default
    if name == "id" or name.endswith("_id"):
        _mark_id(schema.get("items", schema))
    return schema


def _bound(schema: dict[str, Any], of_fields: Mapping[str, dict[str, Any]]) -> None:
    for name, words in of_fields.items():
        found = schema["properties"][name]
        for each in found.get("anyOf", [found]):
            if each.get("type") in ("string", "array"):
                each |= words


def _example(schema: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref") or schema.get("items", {}).get("$ref", "")).rpartition("/")[2]
    if name not in EXAMPLES:
        return {}
    return {"example": EXAMPLES[name] if "$ref" in schema else [EXAMPLES[name]]}


def _name_ids(schema: dict[str, Any]) -> None:
    """Whatever is called an id is one: 64 bits, from 1."""
    for name, found in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).items():
        if name in ("id", "reply_to", "created_by") or name.endswith("_id"):
            for each in found.get("anyOf", [found]):
                _mark_id(each)
        elif name in ("mentions", "member_ids", "user_ids", "members", "files"):
            for each in found.get("anyOf", [found]):
                _mark_id(each.get("items", {}))


def _mark_id(schema: dict[str, Any]) -> None:
    if schema.get("type") == "integer":
        schema |= _ID | {"maximum": MAX_ID}
