"""The options that commands share, and the way from options to settings.

ConfigFile, DataDir, DatabaseUrl, LogLevel, ServerPort, Workers, Process, Lifeline   option types
Options          what was given on the command line
Options.load()   → settings, or ConfigError
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from fechatter import config, logs
from fechatter.config import Loaded, Role, Settings
from fechatter.config.values import variable_of

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file, instead of ./app.yaml, /etc/config/app.yaml or the one in CHAT_CONFIG.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="FOLDER",
        help=f"Where data and generated secrets live. [env: FECHATTER_DATA_DIR] [default: {config.default_data_dir()}]",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="PostgreSQL to use. [env: DATABASE_URL, FECHATTER_SERVER__DB_URL] [default: the embedded one]",
    ),
]
LogLevel = Annotated[
    str | None,
    typer.Option(
        "--log-level",
        metavar="LEVEL",
        help="debug, info, warning or error. [env: FECHATTER_LOG__LEVEL] [default: info]",
    ),
]
ServerPort = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="PORT", help="Port of fechatter_server. [env: FECHATTER_SERVER__PORT] [default: 6688]"
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=64,
        metavar="N",
        help="Processes of each service that share its port."
        " [env: FECHATTER_SERVER__WORKERS, FECHATTER_NOTIFY__WORKERS] [default: 1]",
    ),
]
Process = Annotated[str | None, typer.Option("--process", hidden=True)]
Lifeline = Annotated[int | None, typer.Option("--lifeline", hidden=True)]


class Options(Struct, frozen=True):
    """`flags` maps full keys ("server.port") to what was given; None: not given."""

    flags: Mapping[str, object]
    config: Path | None = None

    def load(self, role: Role = "all") -> Settings:
        return config.load(self.flags, role=role, config=self.config)

    def read(self) -> Loaded:
        return config.read(self.flags, config=self.config)

    def start(self, service: str, role: Role = "all") -> Settings:
        """Load the settings, set up the logs and prepare the data folder."""
        settings = self.load(role)
        logs.set_up(settings.log, service)
        return config.prepare(settings)

    def child(self, *words: str) -> list[str]:
        """The command line of another command of this program, with the same settings file."""
        chosen = ["--config", str(self.config)] if self.config else []
        return [sys.executable, "-P", "-m", "fechatter", *words, *chosen]

    def child_environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """This process's environment, with the flags in it as the variables that mean the same."""
        given = {key: str(value) for key, value in self.flags.items() if value is not None} | dict(extra)
        variables = {variable_of(key): value for key, value in given.items()}
        kept = {name: text for name, text in os.environ.items() if name.removesuffix("_FILE") not in variables}
        return kept | variables
