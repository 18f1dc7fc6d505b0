"""Batches bounded both in number and in bytes: what is worked on together is in memory several times over."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from bizy_migrate_tui.migration.rules.values import Raw
from bizy_migrate_tui.migration.source.workbook import CHUNK_BYTES

ITEMS: Final = 1_000

T = TypeVar("T")


def in_batches(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in their order: ITEMS together at most, and none more once they have CHUNK_BYTES by `size`."""
    batch: list[T] = []
    total = 0
    for item in items:
        batch.append(item)
        total += size(item)
        if len(batch) == ITEMS or total >= CHUNK_BYTES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def size_of(cells: Mapping[str, Raw]) -> int:
    """The bytes of the texts and BLOBs among them."""
    return sum(len(cell) for cell in cells.values() if isinstance(cell, bytes))
