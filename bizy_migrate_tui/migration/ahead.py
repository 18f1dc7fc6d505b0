"""Works ahead: items are made in another thread while those before them are used."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_DEPTH = 2
"""So many items wait to be used; two, because some take longer than others, and no more, because they take memory."""


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items in the same order, made in a thread of its own.

    To be closed (`contextlib.closing`) by whoever may stop before the end: only then has the thread ended.
    """
    with ThreadPoolExecutor(1) as side:
        coming = deque(side.submit(next, items, None) for _ in range(_DEPTH))
        try:
            while (item := coming.popleft().result()) is not None:
                coming.append(side.submit(next, items, None))
                yield item
        finally:
            side.shutdown(cancel_futures=True)
