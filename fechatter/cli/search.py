"""`fechatter search`: rebuild, verify. Each command loads only what it needs, and Meilisearch's client is much."""

import typer

from fechatter.cli.options import ConfigFile, DatabaseUrl, DataDir, Options

app = typer.Typer(
    name="search", help="The search index: build it anew, verify it.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def rebuild(config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Build the search index anew while the old one serves.

    With Meilisearch, the new index takes the place of the old one at the end. Interrupted, the same command goes on
    where it was.
    """
    settings = Options({"data_dir": data_dir, "server.db_url": database_url}, config).load()
    from fechatter.cli import indexes

    raise typer.Exit(indexes.rebuild(settings))


@app.command()
def verify(config: ConfigFile = None, data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Compare the search index with the database. Exit code 1 if anything is missing, extra or stale."""
    settings = Options({"data_dir": data_dir, "server.db_url": database_url}, config).load()
    from fechatter.cli import indexes

    raise typer.Exit(indexes.compare(settings))
