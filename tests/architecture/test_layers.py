"""Data goes one way through the folders, and so do imports."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.code import Module, imports_of, modules

# From the bottom up. Each folder may import what stands in its set, and nothing else of ours.
_GROUND = {"domain", "config", "logs"}
_STORED = _GROUND | {"store"}
_CARRIED = _STORED | {"bus", "files", "actions"}
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "config": set(),
    "logs": {"config"},
    "siblings": set(),
    "problems": {"domain"},
    "listening": {"domain"},
    "store": _GROUND,
    "bus": _STORED,
    "files": _STORED,
    "actions": _STORED | {"bus", "files"},
    "consumers": _STORED,
    "search": _CARRIED | {"consumers"},
    "push": _STORED | {"consumers"},
    "notify": _CARRIED - {"files"} | {"siblings", "problems", "listening"},
    "server": _CARRIED | {"search", "siblings", "problems", "listening"},
    "cli": _CARRIED | {"consumers", "push", "search", "notify", "server", "siblings", "listening"},
    "__main__": {"cli"},
    "": set(),
}
# What realtime may ask the database: who may come in and hear what, and what they missed.
NOTIFY_READS = {"database", "replay", "pruning", "presence", "tickets"}


def test_a_folder_imports_only_what_lies_below_it() -> None:
    """A stage that reaches back can no longer be read, tested or replaced alone."""
    for module in modules():
        assert module.folder in ALLOWED, f"{module.folder} is a new folder: give it a place in the layers"
        above = imports_of(module).keys() - ALLOWED[module.folder]
        assert not above, f"{module.place} imports {[imports_of(module)[folder] for folder in above]}"


def test_no_two_folders_import_each_other() -> None:
    """The table above could allow a circle by mistake; this looks at what is really imported."""
    graph: dict[str, set[str]] = {}
    for module in modules():
        graph.setdefault(module.folder, set()).update(imports_of(module))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"folders import each other: {' → '.join(circle.args[1])}")


def test_realtime_reads_the_store_for_access_and_replay_only() -> None:
    """Whatever else it read, it would have to keep right on every change: content reaches it through the log."""
    for module in modules():
        if module.folder == "notify":
            read = {name.split(".")[-1] for name in _store_modules(module)}
            assert read <= NOTIFY_READS, f"{module.place} reads {read - NOTIFY_READS} of the store"


def test_only_actions_append_to_the_event_log() -> None:
    """An event belongs into the transaction that makes the change; actions are where transactions open and commit.

    Two are exceptions in form: posting and loading a history (posting.py and history.py of store/messages/) write
    messages and their events in one statement.
    """
    for module in modules():
        if module.folder in ("actions", "store"):
            continue
        for node in ast.walk(module.tree):
            assert not _is_append(node), f"{module.place}:{getattr(node, 'lineno', 0)} appends to the event log"


def test_transactions_that_change_data_open_in_actions_only() -> None:
    """They open and commit at one edge, so that what belongs together is seen together in one file.

    The store's migrations run one each; realtime opens read-only ones, for a replay of one snapshot.
    """
    for module in modules():
        if module.folder in ("actions", "store"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".transaction"):
                read_only = module.folder == "notify" and any(word.arg == "readonly" for word in node.keywords)
                assert read_only, f"{module.place}:{node.lineno} opens a transaction"


def _store_modules(module: Module) -> set[str]:
    found: set[str] = set()
    packages = {each.name for each in modules() if each.folder == "store" and each.path.name == "__init__.py"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and str(node.module) in packages:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("fechatter.store."):
            found.add(str(node.module))
    return found


def _is_append(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("event_log.append")
