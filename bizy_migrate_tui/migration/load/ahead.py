"""Works ahead: items are made in another thread while those before them are used."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def ahead(items: Iterator[T], depth: int = 2) -> Iterator[Iterator[T]]:
    """The same items in the same order, made in a thread that begins at once, ends here, and is at most `depth` items ahead.

    Two, because some take longer to make than others; more only where they take no memory.
    """
    with ThreadPoolExecutor(1) as side:
        coming = deque(side.submit(next, items, None) for _ in range(depth))

        def in_order() -> Iterator[T]:
            while (item := coming.popleft().result()) is not None:
                coming.append(side.submit(next, items, None))
                yield item

        try:
            yield in_order()
        finally:
            side.shutdown(cancel_futures=True)
