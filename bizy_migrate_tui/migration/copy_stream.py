"""What COPY FROM STDIN reads: chunks of rows, as the file that psycopg2 asks for."""

from collections.abc import Callable, Iterator


class CopyStream:
    """Chunks, each as (rows, text), as a file; `advance` is told of the rows of each chunk that is read."""

    def __init__(self, chunks: Iterator[tuple[int, bytes]], advance: Callable[[int], None]) -> None:
        self._chunks, self._advance = chunks, advance

    def read(self, _size: int = -1, /) -> bytes:
        """The next chunk, whatever its size; nothing at the end."""
        rows, text = next(self._chunks, (0, b""))
        if rows:
            self._advance(rows)
        return text

    readline = read
    """psycopg2 never calls it, but its type asks for it."""
