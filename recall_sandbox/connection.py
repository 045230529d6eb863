"""A client's connection, for effects that end it before the answer ends."""

import asyncio
import socket
import struct
from collections.abc import Callable

from uvicorn.protocols.http.h11_impl import H11Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """One TCP connection; `before_end` is called before it is ended from here."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.before_end: Callable[[], None] = lambda: None

    def close(self) -> None:
        """Deliver what was sent so far, then close."""
        self.before_end()
        self._transport.close()

    def reset(self) -> None:
        """Reset the connection; what was sent last may be lost."""
        self.before_end()
        opened = self._transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


class HttpProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the `Connection` in every request's `scope["state"]["connection"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": Connection(transport)}
