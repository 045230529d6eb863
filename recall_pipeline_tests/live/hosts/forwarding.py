"""The first process of a host: `python -m ... FOLDER PORT,PORT -- COMMAND`.

Each host has a loopback of its own. Connections to these ports of it go through Unix sockets in FOLDER, which network
namespaces share, to the same ports of the machine. Then the command runs; its status is that of this process.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

HOST = "127.0.0.1"
_CHUNK_BYTES = 65_536
Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve_sockets(folder: Path, ports: Sequence[int]) -> None:
    """Forward connections from the sockets in `folder` to the ports of the machine, until cancelled."""

    async def accept(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, *await asyncio.open_connection(HOST, port))

    for port in ports:
        await asyncio.start_unix_server(partial(_accept, partial(accept, port)), folder / f"{port}")
    await asyncio.Event().wait()


async def _serve_ports(folder: Path, ports: Sequence[int], is_ready: threading.Event) -> None:
    async def accept(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, *await asyncio.open_unix_connection(folder / f"{port}"))

    for port in ports:
        await asyncio.start_server(partial(_accept, partial(accept, port)), HOST, port)
    is_ready.set()
    await asyncio.Event().wait()


async def _accept(accept: Accept, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await accept(reader, writer)
    writer.close()


async def _join(
    first: asyncio.StreamReader,
    to_first: asyncio.StreamWriter,
    second: asyncio.StreamReader,
    to_second: asyncio.StreamWriter,
) -> None:
    await asyncio.gather(_copy(first, to_second), _copy(second, to_first))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def main() -> int:
    """Serve the ports of this host, and run the command."""
    folder, ports, _, *command = sys.argv[1:]
    is_ready = threading.Event()
    numbers = [int(port) for port in ports.split(",")]
    threading.Thread(target=lambda: asyncio.run(_serve_ports(Path(folder), numbers, is_ready)), daemon=True).start()
    is_ready.wait()
    return subprocess.run(command, check=False).returncode  # noqa: S603 -- of the trial


if __name__ == "__main__":
    sys.exit(main())
