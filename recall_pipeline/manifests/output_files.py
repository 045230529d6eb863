"""Write lines to a file as its name says (JSON lines, gzip, CSV), which appears when it is whole."""

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
def lines_into(target: Path) -> Iterator[Callable[[Line], object]]:
    """Give a function that writes a line; the file gets its name when the block ends well."""
    with atomic_write(target) as part, _text_file(part, is_packed=target.suffix == ".gz") as text:
        if target.suffix == ".csv":
            table = csv.DictWriter(text, TABLE_COLUMNS, lineterminator="\n")
            table.writeheader()
            yield table.writerow
        else:
            yield lambda line: text.write(json.dumps(line, ensure_ascii=False) + "\n")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Give a name to make a file under, in its folder; it takes its own when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _text_file(path: Path, *, is_packed: bool) -> Iterator[TextIO]:
    path.touch(mode=_PRIVATE)
    with (
        path.open("wb") as file,
        _packed(file) if is_packed else nullcontext(file) as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as text,
    ):
        yield text


def _packed(file: BinaryIO) -> gzip.GzipFile:
    """Pack into `file`, the same lines into the same bytes."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
