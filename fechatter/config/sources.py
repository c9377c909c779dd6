"""Where values come from: read_file() for YAML files, read_environment() for variables.

Both give full key → Value, and raise ConfigError for what they do not know: a setting that is silently
ignored is one that somebody believes in.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from fechatter.config.errors import ConfigError
from fechatter.config.values import (
    LEAVES,
    SECRET_FILES,
    SECTIONS,
    Value,
    from_text,
    unknown_key,
    variable_of,
)

Found = dict[str, Value]

# A Kubernetes service named "fechatter" puts such variables into every pod beside it; they are not meant for us.
SERVICE_LINK = re.compile(r"FECHATTER_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


def read_file(path: Path) -> Found:
    """The settings of a YAML file. An empty file has none."""
    try:
        loader = yaml.SafeLoader(path.read_bytes())
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {problem.strerror}") from problem
    except yaml.YAMLError as problem:
        raise ConfigError(f"{path} is not valid YAML: it is not text in UTF-8") from problem
    try:
        root = loader.get_single_node()
        return {} if root is None or _is_null(root) else _read_root(path, loader, root)
    except yaml.YAMLError as problem:
        raise ConfigError(_describe_yaml(path, problem)) from problem
    except RecursionError as problem:
        raise ConfigError(f"{path} is nested too deeply") from problem
    finally:
        loader.dispose()


def read_environment(environment: Mapping[str, str], cwd: Path) -> Found:
    """The settings of FECHATTER_* and DATABASE_URL (the weaker of the two). An empty variable counts as unset."""
    found: Found = {}
    for name, text in environment.items():
        if text and (name.startswith("FECHATTER_") or name in {"DATABASE_URL", "DATABASE_URL_FILE"}):
            found |= _read_variable(name, text, cwd, environment)
    return found


def _read_root(path: Path, loader: yaml.SafeLoader, root: Node) -> Found:
    if not isinstance(root, MappingNode):
        raise ConfigError(f"{path}, line 1: expected settings (key: value)")
    found: Found = {}
    for name, node, place in _entries(path, loader, root, ""):
        if name in SECTIONS:
            found |= _read_section(path, loader, name, node, place)
        else:
            found |= _read_leaf(path, loader, name, node, place)
    return found


def _read_section(path: Path, loader: yaml.SafeLoader, section: str, node: Node, place: str) -> Found:
    if _is_null(node):
        return {}
    if not isinstance(node, MappingNode):
        raise ConfigError(f"{place}: {section} must be a group of settings, indented below it")
    found: Found = {}
    for name, child, where in _entries(path, loader, node, f"{section}."):
        leaf = _read_leaf(path, loader, f"{section}.{name}", child, where)
        if clash := found.keys() & leaf.keys():
            key = clash.pop()
            raise ConfigError(f"{where}: {key} and {key}_file cannot both be set")
        found |= leaf
    return found


def _read_leaf(path: Path, loader: yaml.SafeLoader, key: str, node: Node, place: str) -> Found:
    raw = _plain(loader, key, node, place)
    if key in SECRET_FILES:
        return {SECRET_FILES[key]: _read_secret(key, raw, place, path.absolute().parent)}
    if key not in LEAVES:
        raise unknown_key(place, key)
    return {key: Value(raw, place, path.absolute().parent)}


def _entries(path: Path, loader: yaml.SafeLoader, node: MappingNode, prefix: str) -> Iterator[tuple[str, Node, str]]:
    """Name, value and place of each entry. A name that comes twice is an error: one of the two would be lost."""
    seen: set[str] = set()
    for key_node, value_node in node.value:
        place = f"{path}, line {key_node.start_mark.line + 1}"
        name = str(_plain(loader, prefix + "?", key_node, place)) if isinstance(key_node, ScalarNode) else "?"
        if name in seen:
            raise ConfigError(f"{place}: {prefix}{name} is set twice")
        seen.add(name)
        yield name, value_node, place


def _plain(loader: yaml.SafeLoader, key: str, node: Node, place: str) -> object:
    try:
        return cast("Any", loader).construct_object(node, deep=True)
    except ValueError as problem:  # 2024-13-45 is a date to YAML, until it is read
        raise ConfigError(f"{place}: {key} is not valid: {problem}") from problem


def _read_variable(name: str, text: str, cwd: Path, environment: Mapping[str, str]) -> Found:
    place = f"environment variable {name}"
    plain = name.removesuffix("_FILE")
    if plain == "DATABASE_URL":
        preferred = variable_of("server.db_url")
        if environment.get(preferred) or environment.get(f"{preferred}_FILE"):
            return {}
        key = "server.db_url"
    else:
        key = name.removeprefix("FECHATTER_").lower().replace("__", ".")
        plain = variable_of(SECRET_FILES.get(key, key))
    if key in SECRET_FILES or name == "DATABASE_URL_FILE":
        if environment.get(plain):
            raise ConfigError(f"{place}: {plain} and {name} cannot both be set")
        return {SECRET_FILES.get(key, key): _read_secret(key, text, place, cwd)}
    if key in LEAVES:
        return {key: Value(from_text(key, text), place, cwd)}
    if SERVICE_LINK.fullmatch(name):
        return {}
    raise unknown_key("environment", key, shown=name)


def _read_secret(key: str, raw: object, place: str, base: Path) -> Value:
    if not isinstance(raw, str) or not raw:
        raise ConfigError(f"{place}: {key} must be the path of a file")
    path = base / Path(raw).expanduser()
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not text in UTF-8"
        raise ConfigError(f"{place}: the file {path} cannot be read: {reason}") from problem
    if not text:
        raise ConfigError(f"{place}: the file {path} is empty")
    return Value(text, place, base)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _describe_yaml(path: Path, problem: yaml.YAMLError) -> str:
    if isinstance(problem, yaml.MarkedYAMLError) and problem.problem_mark is not None:
        return f"{path}, line {problem.problem_mark.line + 1}: not valid YAML: {problem.problem or problem.context}"
    return f"{path} is not valid YAML"
