"""Decode check: a received file has to decode to the full length that its header promises.

Decodes in a subprocess, because a malformed file may crash the decoder or keep it busy for ever.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from recall_pipeline.audio import DecodeResult, Normalized, Worker, time_limit_seconds
from recall_pipeline.download.early_normalizer import NormalizeFile
from recall_pipeline.errors import NotAudio, TransferError, WorkerNotStarted, with_handle_hint
from recall_pipeline.storage import sha256_of

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class DecodeCheck:
    """Result of the decode check of a file; `fault` states why it is not whole audio, None if it is.

    `normalized`: the result of the normalization that decoded it; None where it was decoded only.
    """

    size_bytes: int
    sha256: str
    decoded: DecodeResult | None
    fault: str | None
    normalized: Normalized | None = None


class DecodeChecker:
    """Checks files in as many processes as `processes`; each starts when it is first needed."""

    def __init__(self, processes: int) -> None:
        self._idle: list[Worker] = []
        self._started: list[Worker] = []
        self._may_run = asyncio.Semaphore(processes)
        self._one_alone = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._started:
            if kind is not None:
                worker.kill()
            worker.close()

    async def check_file(self, path: Path, normalize: NormalizeFile | None = None) -> DecodeCheck:
        """Hash and decode `path`. Raises TransferError if it cannot be read, or if the decoder crashes or hangs.

        With `normalize`, this decodes it. Where that fails, for any reason, the file is decoded as without.
        """
        normalized: Normalized | None = None
        try:
            sha256, size_bytes = await asyncio.to_thread(lambda: (sha256_of(path), path.stat().st_size))
            limit_seconds = time_limit_seconds(size_bytes)
            if normalize is not None:
                with contextlib.suppress(Exception):
                    normalized = await self._in_a_process(normalize, path, limit_seconds)
            decoded = normalized.source if normalized else await self._decode(path, limit_seconds)
        except TransferError:
            raise
        except NotAudio as error:
            # The name of a partial file means nothing to a reader of the catalog.
            return DecodeCheck(size_bytes, sha256, None, str(error).removeprefix(f"{path.name} "))
        except OSError as error:
            message = f"cannot read what was received, {path}: {error.strerror}"
            raise TransferError(with_handle_hint(message)) from None
        except WorkerNotStarted as error:
            raise TransferError(str(error)) from None
        except BrokenProcessPool:
            message = "the process that decodes it was killed: check that the machine has enough memory"
            raise TransferError(message) from None
        except Exception as error:
            # A decoder may fail in any way on malformed bytes: only this file fails.
            raise TransferError(f"decoding it ended with {type(error).__name__}") from None
        return DecodeCheck(size_bytes, sha256, decoded, truncation(decoded), normalized)

    async def _decode(self, path: Path, limit_seconds: float) -> DecodeResult:
        from recall_pipeline.audio import decode_whole  # pickled by name: the process loads the audio package only

        with contextlib.suppress(BrokenProcessPool):
            return await self._in_a_process(decode_whole, path, limit_seconds)
        async with self._one_alone:  # the machine may have been short of memory: try again, one file at a time
            return await self._in_a_process(decode_whole, path, limit_seconds)

    async def _in_a_process(self, function: Callable[[Path], R], path: Path, limit_seconds: float) -> R:
        async with self._may_run:
            worker = self._idle.pop() if self._idle else self._new_worker()
            try:
                decoding = asyncio.wrap_future(worker.submit(function, path))
                await asyncio.wait([decoding], timeout=limit_seconds)
                if not decoding.done():
                    worker.kill()
                    await asyncio.wait([decoding])
                    raise TransferError(f"decoding it took longer than {limit_seconds:.0f} s: its process was ended")
                return decoding.result()
            finally:
                self._idle.append(worker)

    def _new_worker(self) -> Worker:
        self._started.append(Worker())
        return self._started[-1]


def truncation(decoded: DecodeResult) -> str | None:
    """Return how much shorter a file decodes than its header promises; None if it does not."""
    if not decoded.is_truncated:
        return None
    decoded_seconds, header_seconds = decoded.decoded_seconds, decoded.header_seconds
    return f"cut short: decodes to {decoded_seconds:.1f} s of the {header_seconds:.1f} s its header promises"
