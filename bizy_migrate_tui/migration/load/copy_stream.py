"""What COPY FROM STDIN reads: chunks of rows, as the file that psycopg2 asks for."""

from collections.abc import Callable, Iterator
from typing import Final

AT_ONCE: Final = 4 * 2**20
"""Bytes handed over at once: libpq keeps a copy of all that it is given in one piece."""


class CopyStream:
    """Chunks, each as (rows, text), as a file; `advance` is told of the rows of each chunk that is read."""

    def __init__(self, chunks: Iterator[tuple[int, bytes]], advance: Callable[[int], None]) -> None:
        self._chunks, self._advance = chunks, advance
        self._rest = memoryview(b"")

    def read(self, _size: int = -1, /) -> bytes:
        """The next chunk, or the next part of a long one; nothing at the end."""
        if not self._rest:
            rows, text = next(self._chunks, (0, b""))
            if rows:
                self._advance(rows)
            if len(text) <= AT_ONCE:
                return text
            self._rest = memoryview(text)
        part, self._rest = self._rest[:AT_ONCE], self._rest[AT_ONCE:]
        return bytes(part)

    readline = read
    """psycopg2 never calls it, but its type asks for it."""
