"""A client's TCP connection, for effects that end it before the end of the answer."""

import asyncio
import socket
import struct
from collections.abc import Callable

from uvicorn.protocols.http.h11_impl import H11Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """One TCP connection; `close` and `reset` call `before_end` first."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.before_end: Callable[[], None] = lambda: None

    def send(self, raw: bytes) -> None:
        """Send bytes as they are, which need not be valid HTTP."""
        self._transport.write(raw)

    def close(self) -> None:
        """Send what is buffered, then close."""
        self.before_end()
        self._transport.close()

    def reset(self) -> None:
        """Reset the connection; buffered bytes may be lost."""
        self.before_end()
        opened = self._transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()


class HttpProtocol(H11Protocol):
    """The HTTP/1.1 protocol of uvicorn; `scope["state"]["connection"]` of each request is its `Connection`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to serve a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": Connection(transport)}
