"""End with the supervisor, however that ended.

    follow(descriptor)   SIGTERM to this process when the other end of the pipe closes, and the end 2 s later

There is nobody left to wait for a drained service then, and the next start needs the port.
"""

import os
import signal
import threading
import time

from fechatter.cli.supervisor import PERMANENT

PATIENCE_S = 2.0


def follow(descriptor: int) -> None:
    """Watch from a thread, so that a busy event loop does not delay it. The descriptor is inherited."""
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_wait_for_the_end, args=(descriptor,), name="lifeline", daemon=True).start()


def _wait_for_the_end(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_S)
    os._exit(PERMANENT)
