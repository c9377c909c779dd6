"""A wall clock that is wrong, for one process: put this folder on PYTHONPATH and set TEST_CLOCK_SHIFT_S.

Python imports `sitecustomize` before anything else. What the program asks for the time of day, `time.time` and
`datetime.now`, is shifted; the monotonic clock is right, as it is on a machine whose clock is wrong.
"""

import ctypes
import datetime
import gc
import os
import time
from typing import Any

_shift_s = float(os.environ.get("TEST_CLOCK_SHIFT_S", "0"))


def _shift(by_s: float) -> None:
    real_time, real_now = time.time, datetime.datetime.now
    shift = datetime.timedelta(seconds=by_s)

    def shifted_time() -> float:
        return real_time() + by_s

    def shifted_now(tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return real_now(tz) + shift

    time.time = shifted_time
    # The class is C's and takes no attributes; its dictionary does.
    attributes: Any = gc.get_referents(datetime.datetime.__dict__)[0]
    attributes["now"] = staticmethod(shifted_now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


if _shift_s:
    _shift(_shift_s)
