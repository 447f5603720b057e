"""What a command printed, as text of a bounded size."""

from __future__ import annotations

import codecs
from collections import deque


class Capture:
    """Keeps the first and the last bytes of a stream, and counts what lies between."""

    def __init__(self, limit: int) -> None:
        self._room = limit // 2
        self._tail_limit = limit - self._room
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.dropped = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, data: bytes) -> str:
        """Takes bytes, and answers the text that is complete with them: characters are not cut at their edges."""
        self._keep(data)
        return self._decoder.decode(data)

    def rest(self) -> str:
        """What is left of a character that never was completed."""
        return self._decoder.decode(b"", final=True)

    def text(self) -> str:
        return (bytes(self._head) + b"".join(self._tail)).decode("utf-8", "replace")

    def _keep(self, data: bytes) -> None:
        fits = data[: self._room - len(self._head)]
        self._head += fits
        if len(fits) == len(data):
            return
        self._tail.append(data[len(fits) :])
        self._tail_size += len(data) - len(fits)
        while self._tail_size > self._tail_limit:
            first = self._tail.popleft()
            over = min(len(first), self._tail_size - self._tail_limit)
            if over < len(first):
                self._tail.appendleft(first[over:])
            self._tail_size -= over
            self.dropped += over
