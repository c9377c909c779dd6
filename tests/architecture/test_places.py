"""What lives where, and nowhere else."""

import ast
import re

from tests.architecture.code import ROOT, modules, texts_of, tracked_files

MOST_LINES = 400
SQL = re.compile(
    r"\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\w+\s+(\w+\s+)?SET\s|DELETE FROM\s|WITH\s+\w+\s+AS\s|TRUNCATE\s|COPY\s+\w"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|ROLE|DATABASE|FUNCTION|TRIGGER|SCHEMA|VIEW)\s|(UN)?LISTEN\s|NOTIFY\s|pg_notify)"
)
# Each with the reason why its statement cannot live in the store.
SQL_ELSEWHERE = {
    "fechatter/cli/cluster.py": "makes the role and the database before there is one to connect to",
    "fechatter/bus/postgres.py": "LISTEN and NOTIFY are the transport itself; they touch no data",
}
MIGRATION = re.compile(r"(?P<number>\d{4})_[a-z0-9]+(_[a-z0-9]+)*\.sql")
# Spelled in parts, or this file would be the first offender.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "deb." + "debian",
    "npm" + "mirror",
]
MACHINE_PATHS = ["/" + "work/", "/" + "root/", "tmp" + "/team", "/" + "home/"]
BINARY = {".png", ".jpg", ".ico", ".gz", ".woff2", ".webp"}
# `fechatter/…`, `web/…` and the like in code marks, and the targets of links and pictures.
NAMED_FILE = re.compile(
    r"`((?:fechatter|web|tests|bench|migrations|docs|scripts|deploy)/[\w./-]+)`|\]\((?!https?:|#)([\w./-]+)(?:#[\w-]+)?\)"
)
ROUTE_KINDS = {"get", "post", "put", "patch", "delete"}


def test_a_file_can_be_read_in_one_go() -> None:
    """A longer file is a folder that has not been made yet."""
    longer = [module.place for module in modules() if module.text.count("\n") > MOST_LINES]
    assert not longer, f"more than {MOST_LINES} lines: {longer}"


def test_a_file_opens_with_what_is_in_it() -> None:
    """The reader decides by the docstring whether to read on."""
    silent = [module.place for module in modules() if module.tree.body and not ast.get_docstring(module.tree)]
    assert not silent, f"no docstring: {silent}"


def test_sql_is_written_in_the_store_and_the_migrations_only() -> None:
    """The hot statements are the product: they are tuned, counted and reviewed in one place."""
    strays = [
        f"{module.place}:{line} {' '.join(text.split())[:60]}"
        for module in modules()
        if module.folder != "store" and module.place not in SQL_ELSEWHERE
        for line, text in texts_of(module)
        if SQL.match(text)
    ]
    assert not strays, "\n".join(strays)


def test_migrations_are_numbered_without_gaps() -> None:
    """They are applied in this order on every installation, once and for ever: a number is never taken twice."""
    names = sorted(path.name for path in (ROOT / "migrations").iterdir())
    matches = [MIGRATION.fullmatch(name) for name in names]
    assert all(matches), f"a migration is called 0001_what_it_adds.sql: {names}"
    assert [int(match["number"]) for match in matches if match] == list(range(1, len(names) + 1))


def test_every_route_says_what_it_does() -> None:
    """/docs is what a stranger who writes a client reads first."""
    undocumented = [
        f"{module.place}:{handler.lineno} {handler.name}"
        for module in modules()
        if module.place.startswith("fechatter/server/routes/")
        for handler in ast.walk(module.tree)
        if isinstance(handler, ast.AsyncFunctionDef)
        for route in _routes(handler)
        if not _is_documented(route)
    ]
    assert not undocumented, f"give these a summary and a tag: {undocumented}"


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    """A clone has to build anywhere: behind a mirror, offline from a cache, on any machine."""
    offenders: list[str] = []
    for path in tracked_files():
        if path.suffix not in BINARY:
            text = path.read_text(errors="replace")
            offenders += [f"{path.relative_to(ROOT)}: {word}" for word in REGISTRIES + MACHINE_PATHS if word in text]
    assert not offenders, "\n".join(offenders)


def test_documents_name_files_that_exist() -> None:
    """A guide that points to a file that has moved teaches its reader not to trust it."""
    lost = [
        f"{document.name}: {place}"
        for document in [*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")]
        for place in ("".join(names) for names in NAMED_FILE.findall(document.read_text()))
        if not any((folder / place).exists() for folder in (ROOT, document.parent))
    ]
    assert not lost, "\n".join(lost)


def _routes(handler: ast.AsyncFunctionDef) -> list[ast.Call]:
    return [
        decorator
        for decorator in handler.decorator_list
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id in ROUTE_KINDS
    ]


def _is_documented(route: ast.Call) -> bool:
    words = {keyword.arg: keyword.value for keyword in route.keywords}
    hidden = words.get("include_in_schema")
    return {"summary", "tags"} <= words.keys() or (isinstance(hidden, ast.Constant) and hidden.value is False)
