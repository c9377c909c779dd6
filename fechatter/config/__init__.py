"""One typed tree of settings: what can be set (tree), where it comes from (loading), what is generated (secrets).

`load()` merges flags > environment > files > defaults and raises ConfigError, one sentence that names the file, the
line and the key. It writes nothing; `prepare()` makes the data folder and the signing key.
"""

from fechatter.config.errors import ConfigError
from fechatter.config.loading import Loaded, Role, load, read
from fechatter.config.secrets import prepare, secret_file
from fechatter.config.tree import (
    Auth,
    Database,
    Files,
    Invites,
    Limits,
    Log,
    Messaging,
    Notify,
    Search,
    Server,
    Settings,
    default_data_dir,
)

__all__ = [
    "Auth",
    "ConfigError",
    "Database",
    "Files",
    "Invites",
    "Limits",
    "Loaded",
    "Log",
    "Messaging",
    "Notify",
    "Role",
    "Search",
    "Server",
    "Settings",
    "default_data_dir",
    "load",
    "prepare",
    "read",
    "secret_file",
]
