"""Threads that read the source ahead have ended before anybody takes the source away from them."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.load.load import Loader
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES


class Refusing:
    """A cursor whose server refuses the COPY after the first chunk."""

    def __init__(self, begun: threading.Event) -> None:
        self._begun = begun

    def copy_expert(self, _statement: object, file: Any) -> None:
        file.read()
        self._begun.wait(10)
        raise ConnectionError("refused")


def test_a_refused_copy_waits_for_the_thread_that_reads_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, refused, has_ended = threading.Event(), threading.Event(), threading.Event()

    def chunks(_self: Loader, _loaded: object) -> Iterator[tuple[int, bytes]]:
        yield 1, b"first\n"
        begun.set()
        refused.wait(0.2)  # the second chunk is being read when the server refuses
        has_ended.set()
        yield 1, b"second\n"

    monkeypatch.setattr(Loader, "_clean_chunks", chunks)
    monkeypatch.setattr(Loader, "_finished", lambda _self, text: text)
    monkeypatch.setattr(Loader, "_careful_chunks", lambda _self, _loaded: iter(()))
    loader = Loader.__new__(Loader)
    loader._home = WEB_TABLES[0]
    with pytest.raises(ConnectionError) as kept:  # its traceback keeps the generator alive, as a failed run's does
        loader.load(cast("Cursor", Refusing(begun)), lambda _rows: None)
    assert has_ended.is_set(), kept
    refused.set()


def test_a_request_to_stop_reaches_all_even_where_one_has_ended_already() -> None:
    cancel, heard = Cancellation(), threading.Event()

    def ended() -> None:
        raise RuntimeError("Cannot operate on a closed database.")

    with cancel.interrupting(ended), cancel.interrupting(heard.set):
        cancel.request()
    assert heard.is_set()
