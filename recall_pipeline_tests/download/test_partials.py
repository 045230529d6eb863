"""Partial files are counted, and swept once nobody comes back for them."""

import os
import time
from pathlib import Path

from recall_pipeline.download.partials import Partial, Unfinished, sweep_partials, unfinished

A_DAY_SECONDS = 86_400


def begun(spool: Path, name: str, size_bytes: int, *, days_ago: int = 0) -> Partial:
    """Leave a partial file that was last written to some days ago."""
    spool.mkdir(exist_ok=True)
    partial = Partial.of(spool, name)
    partial.start('"etag"')
    partial.path.write_bytes(bytes(size_bytes))
    moment = time.time() - days_ago * A_DAY_SECONDS
    os.utime(partial.path, (moment, moment))
    return partial


def test_what_is_unfinished_is_counted_without_notes_and_locks(tmp_path: Path) -> None:
    begun(tmp_path, "one", 100)
    begun(tmp_path, "two", 20)
    (tmp_path / "day-2026-03-02.lock").touch()
    assert unfinished(tmp_path) == Unfinished(2, 120)


def test_without_a_spool_nothing_is_unfinished(tmp_path: Path) -> None:
    assert unfinished(tmp_path / "nowhere") == Unfinished(0, 0)


def test_a_partial_file_unused_for_a_week_is_removed_with_its_note(tmp_path: Path) -> None:
    begun(tmp_path, "old", 100, days_ago=8)
    begun(tmp_path, "killed while it was discarded", 100).path.unlink()
    kept = begun(tmp_path, "recent", 100, days_ago=6)
    sweep_partials(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {kept.path.name, f"{kept.path.name}.json"}
