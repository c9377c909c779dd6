"""A town of the test's own.

town        a notify_server on an empty database, and what is needed to fill it
unhurried   it gives no reader up for being slow
ungraced    it cuts nobody off whom it has told to go
"""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from fechatter.config import Settings
from fechatter.notify import caretaker
from tests.integration.notify.town import Town


@pytest_asyncio.fixture
async def town(settings: Settings) -> AsyncGenerator[Town]:
    async with Town.open(settings) as town:
        yield town


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test does between two reads takes its time: on a busy machine longer than a slow reader is given."""
    monkeypatch.setattr(caretaker, "STALL_S", 3_600.0)


@pytest.fixture
def ungraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was told goodbye may read that as late as the test likes."""
    monkeypatch.setattr(caretaker, "GRACE_S", 3_600.0)
