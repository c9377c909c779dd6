"""The program as its tests of shape see it: modules, their imports, their texts.

modules()          every module of the program, parsed
imports_of(module) what it imports of ours, by folder: "store", "domain", …
texts_of(module)   its string literals, without docstrings
tracked_files()    what is under version control
"""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fechatter"


class Module(msgspec.Struct, frozen=True):
    """One file. `folder` is its place in the layout: the folder's or, at the top, the file's own name."""

    path: Path
    name: str
    folder: str
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


@cache
def modules() -> list[Module]:
    return [_parse(path) for path in sorted(PACKAGE.rglob("*.py"))]


def imports_of(module: Module) -> dict[str, list[str]]:
    """Folder → the modules imported from it, also those imported inside functions; not its own folder."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(module.tree):
        for name in _imported(node, module):
            if name.startswith("fechatter."):
                folder = name.split(".")[1]
                if folder not in (module.folder, "__version__"):
                    found.setdefault(folder, []).append(name)
    return found


def texts_of(module: Module) -> Iterator[tuple[int, str]]:
    """Line and text of each literal; the fixed parts of an f-string count one by one."""
    docstrings = {id(node) for node in _docstrings(module.tree)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def tracked_files() -> list[Path]:
    """Empty where there is no version control, as in an unpacked archive."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [path for name in names if (path := ROOT / name).is_file()]


def _parse(path: Path) -> Module:
    inside = path.relative_to(PACKAGE)
    text = path.read_text()
    parts = [part for part in inside.with_suffix("").parts if part != "__init__"]
    return Module(
        path=path,
        name=".".join(["fechatter", *parts]),
        folder=parts[0] if parts else "",
        text=text,
        tree=ast.parse(text),
    )


def _imported(node: ast.AST, module: Module) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module.place}:{node.lineno} imports relatively: name the module in full"
        names = [alias.name for alias in node.names]
        return [f"{node.module}.{name}" for name in names] if node.module == "fechatter" else [str(node.module)]
    return []


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone as a statement: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
