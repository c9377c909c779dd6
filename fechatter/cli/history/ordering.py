"""A history in the order of its times, in bounded memory.

survey       read all once: how many lines are good, which are bad, and whether each room is in order
in_order     the good lines: as they lie, if each room is in order, else sorted by way of files
batches      … some at a time
"""

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from typing import IO

from msgspec import Struct

from fechatter.cli.history.lines import History, NumberedLine
from fechatter.domain.history import BadLine, Reader, Remark

RUN_LINES = 100_000
RUN_BYTES = 32 * 1024 * 1024
BATCH_LINES = 2_000
BATCH_CHARS = 1_000_000
"""A batch is one transaction, and holds up whoever posts in its channels meanwhile: some 0.1 s."""

_Entry = tuple[Remark, bytes]


class Survey(Struct, frozen=True):
    """What a file holds. `ordered`: in each room, no line is older than one before it."""

    good: int
    bad: int
    ordered: bool


def survey(history: History, reader: Reader, tell: Callable[[int, str], None]) -> Survey:
    """Read the whole file; `tell` hears the number of each bad line, and why it is bad."""
    good = bad = 0
    ordered = True
    latest: dict[str, datetime] = {}
    for line in history.lines():
        remark = _read_line(line, reader)
        if isinstance(remark, str):
            bad += 1
            tell(line.number, remark)
            continue
        good += 1
        ordered = ordered and latest.get(remark.room_key, remark.sent_at) <= remark.sent_at
        latest[remark.room_key] = remark.sent_at
    return Survey(good, bad, ordered)


def in_order(history: History, reader: Reader, *, ordered: bool) -> Iterator[Remark]:
    """The good lines: rooms side by side, each from its oldest line to its newest; of one time as in the file."""
    if ordered:
        yield from (remark for remark, _ in _good(history, reader))
        return
    with ExitStack() as files:
        runs = [_written(run, files.enter_context(tempfile.TemporaryFile())) for run in _runs(_good(history, reader))]
        # Stable: of equal times, the earlier run's come first.
        yield from heapq.merge(*(_read(run, reader) for run in runs), key=_time)


def batches(remarks: Iterable[Remark]) -> Iterator[list[Remark]]:
    """At most BATCH_LINES at a time, fewer when they are long."""
    batch: list[Remark] = []
    chars = 0
    for remark in remarks:
        batch.append(remark)
        chars += len(remark.text)
        if len(batch) == BATCH_LINES or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _read_line(line: NumberedLine, reader: Reader) -> Remark | str:
    """The remark, or why the line is bad."""
    if line.content is None:
        return line.reason
    try:
        return reader.read(line.content)
    except BadLine as reason:
        return str(reason)


def _good(history: History, reader: Reader) -> Iterator[_Entry]:
    """Bad lines are left out: the survey has told."""
    for line in history.lines():
        remark = _read_line(line, reader)
        if line.content is not None and not isinstance(remark, str):
            yield remark, line.content


def _runs(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """Stretches that fit into memory, each sorted by time."""
    while run := list(_stretch(entries)):
        run.sort(key=lambda entry: entry[0].sent_at)
        yield run


def _stretch(entries: Iterator[_Entry]) -> Iterator[_Entry]:
    size = 0
    for entry in islice(entries, RUN_LINES):
        yield entry
        size += len(entry[1])
        if size >= RUN_BYTES:
            return


def _written(run: list[_Entry], file: IO[bytes]) -> IO[bytes]:
    file.writelines(content + b"\n" for _, content in run)
    file.seek(0)
    return file


def _read(run: IO[bytes], reader: Reader) -> Iterator[Remark]:
    return (reader.read(line) for line in run)


def _time(remark: Remark) -> datetime:
    return remark.sent_at
