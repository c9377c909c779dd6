"""The same world as for tests of the API."""

from tests.integration.conftest import world

__all__ = ["world"]
