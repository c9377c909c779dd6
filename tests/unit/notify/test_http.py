"""What reads requests, without a network."""

import gc
import weakref
from typing import Any, cast

from fechatter.notify.http import HttpConnection


class Site:
    """Answers nothing."""

    def closed(self, _connection: HttpConnection) -> None:
        pass


async def test_what_read_the_head_is_freed_at_once_when_a_stream_takes_over() -> None:
    """It made up half of what the collector was run for while 15,000 streams came in."""
    connection = HttpConnection(cast("Any", Site()))
    alive = weakref.ref(connection)
    gc.disable()
    try:
        connection.handed_over()
        del connection
        assert alive() is None
    finally:
        gc.enable()
