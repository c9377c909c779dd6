"""The processes of one service on one machine, and what they tell each other in shared memory.

Siblings.alone        there are no others
Siblings.memory       for a supervisor: memory that its processes will share
Siblings.of           for one of them
Siblings.count        count something of this process, e.g. a stream of a user
Siblings.elsewhere    how often the others count it at this moment
Siblings.publish      metrics of this process, for whoever is asked
Siblings.metrics      those of all

Each process writes to a part of its own, so there are no locks. What a process that was killed has left there counts no
more, and the next with its number begins anew. Counts are sketches (two counters for each thing, the lower one holds):
of fixed size, and too high only where two things share both counters with others.
"""

import hashlib
import mmap
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from struct import Struct
from typing import Literal, Self

Kind = Literal["user", "address"]

_COUNTERS = 16_384
_ROW_BYTES = 4 * _COUNTERS
_OFFSETS: dict[Kind, int] = {"user": 0, "address": 2 * _COUNTERS}
_COUNTS_BYTES = 4 * _ROW_BYTES
_TEXT_BYTES = 512 * 1024
_HEAD = Struct("=qII")  # process id; length and checksum of the text
_HEAD_BYTES = 4096
_PART_BYTES = _HEAD_BYTES + _COUNTS_BYTES + _TEXT_BYTES


class Siblings:
    """What one process sees of itself and the others.

    number   of this process, from 1
    total    how many there are
    """

    def __init__(self, memory: mmap.mmap, number: int, total: int) -> None:
        self.number = number
        self.total = total
        self._view = memoryview(memory)
        self._own = self._part(number)
        self._counts = {each: self._counts_of(each) for each in range(1, total + 1)}
        self._own[: _HEAD_BYTES + _COUNTS_BYTES] = bytes(_HEAD_BYTES + _COUNTS_BYTES)
        self._own[: _HEAD.size] = _HEAD.pack(os.getpid(), 0, 0)

    @classmethod
    def alone(cls) -> Self:
        return cls(mmap.mmap(-1, _PART_BYTES), 1, 1)

    @classmethod
    def of(cls, descriptor: int, number: int, total: int) -> Self:
        """Process `number` of `total`, in memory that the supervisor made. Numbers are reused, never shared."""
        return cls(mmap.mmap(descriptor, total * _PART_BYTES), number, total)

    @staticmethod
    def memory(total: int) -> int:
        """The descriptor of memory for `total` processes; it has no name and goes with the last of them."""
        if sys.platform == "linux":  # a file would end its processes by SIGBUS once the disk is full
            descriptor = os.memfd_create("fechatter")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.truncate(descriptor, total * _PART_BYTES)
        return descriptor

    def count(self, kind: Kind, key: object, change: int) -> None:
        """Of this process: one more, or one less."""
        if self.total == 1:
            return
        own = self._counts[self.number]
        for place in _places(kind, key):
            own[place] += change

    def elsewhere(self, kind: Kind, key: object) -> int:
        """How often the other processes, as far as they live, count it."""
        if self.total == 1:
            return 0
        one, two = _places(kind, key)
        return sum(min(self._counts[each][one], self._counts[each][two]) for each in self._others())

    def publish(self, text: bytes) -> None:
        """What metrics() of the others shows of this process. A text that is too long is left out."""
        if len(text) <= _TEXT_BYTES:
            begin = _HEAD_BYTES + _COUNTS_BYTES
            self._own[begin : begin + len(text)] = text
            self._own[: _HEAD.size] = _HEAD.pack(os.getpid(), len(text), zlib.crc32(text))

    def metrics(self, own: bytes) -> bytes:
        """`own` with what the others have published; each line says of which process it is, if there are several."""
        if self.total == 1:
            return own
        texts = {self.number: own} | {each: self._published(each) for each in self._others()}
        return _merged(texts)

    def _published(self, number: int) -> bytes:
        """What another process has published; tried again if it does so at this moment."""
        begin = _HEAD_BYTES + _COUNTS_BYTES
        part = self._part(number)
        for _ in range(3):
            _, length, checksum = _HEAD.unpack(part[: _HEAD.size])
            text = bytes(part[begin : begin + min(length, _TEXT_BYTES)])
            if zlib.crc32(text) == checksum:
                return text
            time.sleep(0.001)
        return b""

    def _others(self) -> Iterable[int]:
        return [each for each in range(1, self.total + 1) if each != self.number and self._lives(each)]

    def _lives(self, number: int) -> bool:
        pid, _, _ = _HEAD.unpack(self._part(number)[: _HEAD.size])
        with suppress(ProcessLookupError, PermissionError):  # the second: the number is another user's by now
            if pid:
                os.kill(pid, 0)
                return True
        return False

    def _part(self, number: int) -> memoryview:
        return self._view[(number - 1) * _PART_BYTES : number * _PART_BYTES]

    def _counts_of(self, number: int) -> memoryview:
        return self._part(number)[_HEAD_BYTES : _HEAD_BYTES + _COUNTS_BYTES].cast("i")


def _places(kind: Kind, key: object) -> tuple[int, int]:
    """Which two counters stand for `key`; the same in every process."""
    digest = int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest())
    begin = _OFFSETS[kind]
    return begin + digest % _COUNTERS, begin + _COUNTERS + (digest >> 32) % _COUNTERS


def _merged(texts: dict[int, bytes]) -> bytes:
    """Metrics in Prometheus' text form, each family once, its lines with the number of their process."""
    families: dict[str, list[str]] = {}
    for number, text in sorted(texts.items()):
        family: list[str] = []
        for line in text.decode().splitlines():
            if line.startswith("# HELP "):
                family = families.setdefault(line, [])
            elif line.startswith("#"):
                if line not in family:
                    family.append(line)
            elif line:
                family.append(_labelled(line, number))
    return "".join(f"{line}\n" for help_, lines in families.items() for line in (help_, *lines)).encode()


def _labelled(line: str, number: int) -> str:
    """`name{a="b"} 1` → `name{process="2",a="b"} 1`."""
    name, brace, rest = line.partition("{")
    if brace and " " not in name:
        return f'{name}{{process="{number}",{rest}'
    name, _, value = line.partition(" ")
    return f'{name}{{process="{number}"}} {value}'
