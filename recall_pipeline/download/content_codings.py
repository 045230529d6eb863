"""Unpack a body that came compressed although `identity` was requested (`Content-Encoding`).

The packed bytes are received first, because ranges count those. A body that is not packed as its header states is kept
as it came: some hosts label plain files so, and the decode check follows.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from recall_pipeline.errors import TransferRefused

_CHUNK_BYTES = 256 * 1024
_MOST_CODINGS = 3
_NO_CODING = frozenset({"", "identity", "aws-chunked"})  # the last one labels objects that S3 itself has unpacked
_BY_ARROW: dict[str, Literal["brotli", "zstd"]] = {"br": "brotli", "zstd": "zstd"}


class _NotSoPacked(Exception):
    """The bytes are not what the coding makes."""


def codings_of(header: str) -> list[str]:
    """Return the codings of a Content-Encoding header in the order in which they were applied."""
    names = (name.strip().lower().removeprefix("x-") for name in header.split(","))
    return [name for name in names if name not in _NO_CODING]


def unpack(packed: Path, header: str, unpacked: Path, limit_bytes: int) -> bool:
    """Write what `packed` contains to `unpacked`, at most `limit_bytes`; return False if it is not packed so.

    Raises TransferRefused if the content is larger, and OSError if it cannot be written.
    """
    codings = codings_of(header)
    if not codings or len(codings) > _MOST_CODINGS:
        return False
    source = packed
    for target, coding in zip(stages_of(unpacked), reversed(codings), strict=False):
        try:
            _write_chunks(_unpacked_chunks(source, coding), target, limit_bytes)
        except _NotSoPacked:
            target.unlink()
            return False
        finally:
            if source is not packed:
                source.unlink()
        source = target
    source.replace(unpacked)
    return True


def stages_of(unpacked: Path) -> list[Path]:
    """Return the files that `unpack` writes to on the way, one for each coding; a kill may leave them."""
    return [unpacked.with_name(f"{number}.{unpacked.name}") for number in range(_MOST_CODINGS)]


def _write_chunks(chunks: Iterator[bytes], target: Path, limit_bytes: int) -> None:
    size = 0
    target.touch(mode=0o600)
    try:
        with target.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                check_size(size, limit_bytes)
                file.write(chunk)
    except (TransferRefused, OSError):
        target.unlink()
        raise


def check_size(size_bytes: int, limit_bytes: int) -> None:
    """Raise TransferRefused if a file of this size is above the limit."""
    if size_bytes > limit_bytes:
        limit_mib = limit_bytes // 2**20
        raise TransferRefused(f"larger than RECALL_MAX_FILE_MB={limit_mib}: raise it if such meetings are real")


def _unpacked_chunks(packed: Path, coding: str) -> Iterator[bytes]:
    try:
        if coding == "gzip":
            with gzip.open(packed) as file:
                yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
        elif coding == "deflate":
            yield from _inflated(packed)
        elif coding in _BY_ARROW:
            yield from _by_arrow(packed, _BY_ARROW[coding])
        else:
            raise _NotSoPacked
    except (OSError, EOFError, zlib.error):
        raise _NotSoPacked from None


def _inflated(packed: Path) -> Iterator[bytes]:
    """Yield the content of a zlib stream, or of a bare deflate stream, which some hosts send instead."""
    with packed.open("rb") as file:
        first = file.read(2)
        is_zlib = len(first) == 2 and first[0] & 0x0F == 8 and int.from_bytes(first) % 31 == 0
        stream = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        rest = first + file.read(_CHUNK_BYTES)
        while rest and not stream.eof:
            yield stream.decompress(rest, _CHUNK_BYTES)
            rest = stream.unconsumed_tail or file.read(_CHUNK_BYTES)
        if not stream.eof:
            raise EOFError


def _by_arrow(packed: Path, codec: Literal["brotli", "zstd"]) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.input_stream(str(packed), compression=codec) as content:
        yield from iter(lambda: content.read(_CHUNK_BYTES), b"")
