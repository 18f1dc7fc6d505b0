"""A wire between the product and the server that can be cut at COMMIT."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

COMMIT = b"COMMIT\0"
_LATE_SECONDS = 0.5
_REFUSED_FOR_NOW = 2
_READY = b"Z\0\0\0\x05"


class Cut(StrEnum):
    """When the wire is cut; afterwards it works again, but for the last two."""

    BEFORE = "COMMIT never reached the server"
    AFTER = "COMMIT was carried out, its answer lost"
    LATE = "COMMIT was carried out only after the connection was lost"
    FOR_NOW = "COMMIT was carried out, its answer lost and the server out of reach for a while"
    FOR_GOOD = "COMMIT was carried out, its answer lost and the server out of reach since"


class Proxy:
    """Passes bytes on to a local server; cuts the connection that sends the n-th COMMIT."""

    def __init__(self, port: int, cut: Cut) -> None:
        self._to, self._cut, self.is_cut = port, cut, threading.Event()
        self._refuse = {Cut.FOR_GOOD: 10**9, Cut.FOR_NOW: _REFUSED_FOR_NOW}.get(cut, 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut.is_set() and self._refuse:
                self._refuse -= 1
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._to))
            hold = threading.Event()
            threading.Thread(target=self._forth, args=(client, server, hold), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client, hold), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, hold: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if COMMIT in data and not self.is_cut.is_set():
                    if self._cut is Cut.BEFORE:
                        self.is_cut.set()
                        break
                    if self._cut is Cut.LATE:
                        self.is_cut.set()
                        client.shutdown(socket.SHUT_RDWR)
                        threading.Event().wait(_LATE_SECONDS)  # a slow wire
                        server.sendall(data)
                        break
                    hold.set()
                server.sendall(data)
        _shut(client, server)

    def _back(self, server: socket.socket, client: socket.socket, hold: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if hold.is_set() and _READY in data:  # it is carried out
                    self.is_cut.set()
                    break
                client.sendall(data)
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def proxied(port: int, cut: Cut) -> Iterator[Proxy]:
    """A proxy to that port while the block runs."""
    proxy = Proxy(port, cut)
    try:
        yield proxy
    finally:
        proxy.close()
