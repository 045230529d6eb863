"""Decode check: a received file has to decode to the full length that its header promises.

Decodes in a subprocess, because a malformed file may crash the decoder.
"""

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from recall_pipeline.audio import DecodeResult, worker_processes
from recall_pipeline.errors import NotAudio, TransferError
from recall_pipeline.storage import sha256_of


@dataclass(frozen=True, slots=True)
class DecodeCheck:
    """Result of the decode check of a file; `fault` states why it is not whole audio, None if it is."""

    size_bytes: int
    sha256: str
    decoded: DecodeResult | None
    fault: str | None


class DecodeChecker:
    """Checks files in a pool of processes, which starts with the first file."""

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        self._one_alone = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)

    async def check_file(self, path: Path) -> DecodeCheck:
        """Hash and decode `path`. Raises TransferError if it cannot be read, or if the decoder crashes."""
        try:
            sha256, size_bytes = await asyncio.to_thread(lambda: (sha256_of(path), path.stat().st_size))
            decoded = await self._decode(path)
        except NotAudio as error:
            # The name of a partial file means nothing to a reader of the catalog.
            return DecodeCheck(size_bytes, sha256, None, str(error).removeprefix(f"{path.name} "))
        except OSError as error:
            raise TransferError(f"cannot read what was received, {path}: {error.strerror}") from None
        except BrokenProcessPool:
            message = "the process that decodes it was killed: check that the machine has enough memory"
            raise TransferError(message) from None
        except Exception as error:
            # A decoder may fail in any way on malformed bytes: only this file fails.
            raise TransferError(f"decoding it ended with {type(error).__name__}") from None
        return DecodeCheck(size_bytes, sha256, decoded, truncation(decoded))

    async def _decode(self, path: Path) -> DecodeResult:
        pool = self._pool = self._pool or worker_processes(self._processes)
        try:
            return await _in_a_process(pool, path)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
        async with self._one_alone:  # another file may have crashed the pool: try again alone
            alone = worker_processes(1)
            try:
                return await _in_a_process(alone, path)
            finally:
                alone.shutdown(wait=False)


async def _in_a_process(pool: ProcessPoolExecutor, path: Path) -> DecodeResult:
    from recall_pipeline.audio import decode_whole  # pickled by name: the process loads the audio package only

    return await asyncio.get_running_loop().run_in_executor(pool, decode_whole, path)


def truncation(decoded: DecodeResult) -> str | None:
    """Return how much shorter a file decodes than its header promises; None if it does not."""
    if not decoded.is_truncated:
        return None
    decoded_seconds, header_seconds = decoded.duration_seconds, decoded.header_seconds
    return f"cut short: decodes to {decoded_seconds:.1f} s of the {header_seconds:.1f} s its header promises"
