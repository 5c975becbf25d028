"""A cable between browser and server that can be pulled out: what a dead network is like."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Cable:
    """Forwards connections to the server; pulled, it ends those that are open and takes no more."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (parts.hostname or "localhost", parts.port or 80)
        self._open: set[socket.socket] = set()
        self._is_pulled = False
        self._breaks_at: bytes | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        # The name of the server: service workers are for localhost or encrypted pages.
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """End every connection; new ones are closed at once."""
        self._is_pulled = True
        for end in list(self._open):
            _close(end)

    def pull_at(self, path: str) -> None:
        """Pull it when the path is asked for the next time, in the midst of the answer's head."""
        self._breaks_at = f"GET {path} ".encode()

    def plug(self) -> None:
        """Let connections through again."""
        self._is_pulled = False

    def cut(self) -> None:
        """The end of the test."""
        self.pull()
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            if self._is_pulled:
                _close(near)
                continue
            try:
                far = socket.create_connection(self._server)
            except OSError:
                _close(near)
                continue
            self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                if self._breaks_at and self._breaks_at in data:
                    self._breaks_at = None
                    source.sendall(b"HTTP/1.1 200 OK\r\nServer: cut")
                    self.pull()
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            self._open.discard(end)
            _close(end)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def cable(server: str) -> Iterator[Cable]:
    """A cable to the server for the length of a test."""
    made = Cable(server)
    try:
        yield made
    finally:
        made.cut()
