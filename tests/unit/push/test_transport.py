"""Pushes lead out, and hold up neither each other nor the process."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from fechatter.push.sender import FOR_ONE
from fechatter.push.transport import Outcome, Reply, Transport

PATIENCE_S = 30.0
SLOW, QUICK = "https://slow.example.org/push", "https://quick.example.org/push"


async def test_a_name_whose_servers_do_not_answer_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever brings such a name for a device has as many look-ups under way as one push service may."""
    answered = threading.Event()

    def look_up(host: str, *_args: Any, **_options: Any) -> list[Any]:
        if host == "slow.example.org":
            answered.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with Transport.open() as transport:
        slow = [asyncio.create_task(transport.post(SLOW, b"", {})) for _ in range(FOR_ONE)]
        try:
            await asyncio.sleep(0)
            quick = await asyncio.wait_for(transport.post(QUICK, b"", {}), PATIENCE_S)
            assert quick == Reply(Outcome.LATER)
            assert not any(task.done() for task in slow)
        finally:
            answered.set()
            await asyncio.gather(*slow)
