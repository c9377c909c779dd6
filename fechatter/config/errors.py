"""ConfigError: a setting that stops the program."""


class ConfigError(Exception):
    """Its text is one sentence that names the place (file and line, or variable), the key and what is wrong."""
