"""Where sound waits on disk, unseen."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio.sample_buffer import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path, 2)
    for part in np.split(np.arange(20.0).reshape(10, 2), [3, 3, 8]):
        made.append(part)
    yield made
    made.close()


def test_what_was_added_is_read_back(spool: Spool) -> None:
    np.testing.assert_array_equal(spool.read(2, 9), np.arange(20.0).reshape(10, 2)[2:9])


def test_outside_there_is_silence(spool: Spool) -> None:
    rows = spool.read(-2, 12)
    np.testing.assert_array_equal(rows[2:12], np.arange(20.0).reshape(10, 2))
    assert not rows[:2].any()
    assert not rows[12:].any()
    assert not spool.read(20, 22).any()


def test_chunks_cover_it(spool: Spool) -> None:
    assert [(start, len(rows)) for start, rows in spool.chunks(4)] == [(0, 4), (4, 4), (8, 2)]


def test_it_has_no_name_on_the_disk(spool: Spool, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
