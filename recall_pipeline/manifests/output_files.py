"""Write lines to a file atomically; its suffix selects JSON lines, gzip or CSV."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, TextIO

from recall_pipeline.manifests.formats import TABLE_COLUMNS, Line

_PRIVATE = 0o600


@contextmanager
def line_writer(target: Path) -> Iterator[Callable[[Line], object]]:
    """Yield a function that writes a line; the file gets its name if the block succeeds."""
    with atomic_write(target) as part, _text_file(part, is_gzip=target.suffix == ".gz") as text:
        if target.suffix == ".csv":
            table = csv.DictWriter(text, TABLE_COLUMNS, lineterminator="\n")
            table.writeheader()
            yield table.writerow
        else:
            yield lambda line: text.write(json.dumps(line, ensure_ascii=False) + "\n")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; the file is renamed to `target` if the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _text_file(path: Path, *, is_gzip: bool) -> Iterator[TextIO]:
    path.touch(mode=_PRIVATE)
    with (
        path.open("wb") as file,
        _gzip_file(file) if is_gzip else nullcontext(file) as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as text,
    ):
        yield text


def _gzip_file(file: BinaryIO) -> gzip.GzipFile:
    """Return a gzip writer into `file`; the same lines give the same bytes."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
