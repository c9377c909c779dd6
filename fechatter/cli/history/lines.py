"""The lines of a file, one at a time.

History.open(path)   a file, or "-" for standard input; gzipped or not, which its content tells
History.lines()      each line with its number, from the start, as often as one likes
"""

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from msgspec import Struct

from fechatter.domain.errors import OperatorError

LINE_BYTES = 1024 * 1024
"""No good line is longer: each character of the longest text takes 12 bytes at most."""
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some editors begin a file with it; where files were put together, one stands before a line further down."""
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)


class NumberedLine(Struct, frozen=True):
    """`content` is None where there is nothing to read, for the `reason` given."""

    number: int
    content: bytes | None
    reason: str = ""


class History:
    """A file that can be read from its start again and again, in bounded memory.

    size   of the file as it lies there, in bytes
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        file.seek(0)
        self._gzipped = file.read(2) == GZIP

    @classmethod
    @contextmanager
    def open(cls, path: str) -> Generator["History"]:
        """Raises OperatorError if it cannot be read."""
        with ExitStack() as files:
            try:
                file = files.enter_context(_spooled(sys.stdin.buffer) if path == "-" else _seekable(path))
            except OSError as problem:
                name = "Standard input" if path == "-" else path
                raise OperatorError(f"{name} cannot be read: {problem.strerror or problem}.") from problem
            yield cls(file)

    @property
    def position(self) -> int:
        """How far lines() has come, in bytes of the file as it lies there."""
        return self._file.tell()

    def lines(self) -> Iterator[NumberedLine]:
        """Every line but blank ones. A damaged archive ends with a line without content that says so."""
        self._file.seek(0)
        stream = gzip.GzipFile(fileobj=self._file) if self._gzipped else self._file
        number = 0
        try:
            while line := stream.readline(LINE_BYTES):
                number += 1
                whole = line.endswith(b"\n") or len(line) < LINE_BYTES
                if not whole:
                    _skip_rest(stream)
                    yield NumberedLine(number, None, f"is longer than {LINE_BYTES:,} bytes")
                elif content := line.removeprefix(BYTE_ORDER_MARK).strip():
                    yield NumberedLine(number, content)
        except _DAMAGE as problem:
            yield NumberedLine(number + 1, None, f"the archive is damaged from here on ({problem})")


def _skip_rest(stream: IO[bytes] | gzip.GzipFile) -> None:
    while (part := stream.readline(LINE_BYTES)) and not part.endswith(b"\n"):
        pass


@contextmanager
def _seekable(path: str) -> Generator[IO[bytes]]:
    """The file itself, or what a pipe of that name says."""
    with open(path, "rb") as file:
        if file.seekable():
            yield file
        else:
            with _spooled(file) as copy:
                yield copy


@contextmanager
def _spooled(pipe: IO[bytes]) -> Generator[IO[bytes]]:
    """What a pipe says as a file without a name, on the disk: a pipe can be read only once."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(pipe, file, LINE_BYTES)
        yield file
