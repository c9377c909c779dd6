"""One value of one setting: where it was found, and its way into the type that the tree asks for.

LEAVES           full key → type, e.g. "server.port"
SECTIONS         names of the groups
Value            what was found, and where
convert(…)       → the typed value, or ConfigError
from_text(…)     environment text → a plain value
unknown_key(…)   → the ConfigError, with the nearest key that exists
"""

import difflib
from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct
from msgspec.inspect import BoolType, FloatType, IntType, LiteralType, StrType, Type, UnionType, VarTupleType, type_info

from fechatter.config.errors import ConfigError
from fechatter.config.tree import SECRETS, Section, Settings

PATHS = (Path, Path | None)
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def _leaves(section: type[Section], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for item in msgspec.structs.fields(section):
        key = prefix + item.name
        kind = cast("object", item.type)
        if isinstance(kind, type) and issubclass(kind, Section):
            found |= _leaves(kind, f"{key}.")
        else:
            found[key] = kind
    return found


LEAVES = _leaves(Settings)
SECTIONS = frozenset(key.partition(".")[0] for key in LEAVES if "." in key)
SECRET_FILES = {f"{key}_file": key for key in SECRETS}


class Value(Struct, frozen=True):
    """`raw` as it was found; `place` names the file and line, or the variable; paths in it are relative to `base`."""

    raw: object
    place: str
    base: Path


def convert(key: str, value: Value) -> object:
    """The value in the type that the tree asks for. ConfigError tells what would be right, never a secret's text."""
    if LEAVES[key] in PATHS:
        return _convert_path(key, value)
    try:
        return msgspec.convert(value.raw, cast("type[object]", LEAVES[key]))
    except msgspec.ValidationError as problem:
        wanted = _describe(type_info(LEAVES[key]))
        shown = "" if key in SECRETS else f", not {_show(value.raw)}"
        raise ConfigError(f"{value.place}: {key} must be {wanted}{shown}") from problem


def from_text(key: str, text: str) -> object:
    """What a text of the environment means for this key. A text that fits nothing stays text: convert() reports it."""
    kind = type_info(LEAVES[key]) if LEAVES[key] not in PATHS else StrType()
    kinds = kind.types if isinstance(kind, UnionType) else (kind,)
    for each in kinds:
        if isinstance(each, BoolType) and text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        if isinstance(each, VarTupleType):
            return [part.strip() for part in text.split(",") if part.strip()]
        if isinstance(each, IntType | FloatType):
            return _number(text)
    return text


def unknown_key(place: str, key: str, shown: str | None = None) -> ConfigError:
    """`shown` is how the key is written there, where that differs (an environment variable)."""
    section = key.partition(".")[0]
    candidates = [*LEAVES, *SECTIONS, *SECRET_FILES]
    near = difflib.get_close_matches(key, candidates, 1, 0.6)
    same_section = difflib.get_close_matches(key, [each for each in candidates if each.startswith(section)], 1, 0.6)
    hint = (same_section or near or [""])[0]
    if shown is not None and hint:
        hint = variable_of(hint)
    return ConfigError(f"{place}: {shown or key} is not a setting" + (f"; did you mean {hint}?" if hint else ""))


def variable_of(key: str) -> str:
    return "FECHATTER_" + key.replace(".", "__").upper()


def _convert_path(key: str, value: Value) -> Path:
    if not isinstance(value.raw, str | Path) or not str(value.raw) or "\0" in str(value.raw):
        raise ConfigError(f"{value.place}: {key} must be a path, not {_show(value.raw)}")
    try:
        return (value.base / Path(value.raw).expanduser()).absolute()
    except RuntimeError as problem:
        raise ConfigError(f"{value.place}: {key}: {problem}") from problem


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _describe(kind: Type) -> str:
    if isinstance(kind, IntType):
        return "a whole number" + _range(kind)
    if isinstance(kind, FloatType):
        return "a number" + _range(kind)
    if isinstance(kind, VarTupleType):
        return "a list of texts"
    if isinstance(kind, StrType):
        return f"text of {kind.min_length} to {kind.max_length} characters" if kind.max_length else "text, in quotes"
    if isinstance(kind, UnionType | BoolType | LiteralType):
        return " or ".join(_choices(kind))
    return "something else"


def _choices(kind: Type) -> list[str]:
    if isinstance(kind, UnionType):
        return [choice for each in kind.types for choice in _choices(each)]
    if isinstance(kind, LiteralType):
        return [str(choice) for choice in cast("tuple[object, ...]", kind.values)]
    return ["true", "false"]


def _range(kind: IntType | FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge} to {kind.le}"
    if kind.ge is not None:
        return f" of at least {kind.ge}"
    if kind.gt is not None:
        return f" above {kind.gt:g}" + (f", at most {kind.le:g}" if kind.le is not None else "")
    return ""


def _show(raw: object) -> str:
    if isinstance(raw, dict):
        return "a group of settings"
    text = "nothing" if raw is None else repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}…"
