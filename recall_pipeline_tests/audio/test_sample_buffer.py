"""Sample buffers: rows on disk, in an unnamed file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio.sample_buffer import SampleBuffer


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[SampleBuffer]:
    new = SampleBuffer(tmp_path, 2)
    for part in np.split(np.arange(20.0).reshape(10, 2), [3, 3, 8]):
        new.append(part)
    yield new
    new.close()


def test_appended_rows_are_read_back(buffer: SampleBuffer) -> None:
    np.testing.assert_array_equal(buffer.read(2, 9), np.arange(20.0).reshape(10, 2)[2:9])


def test_rows_outside_the_file_are_zero(buffer: SampleBuffer) -> None:
    rows = buffer.read(-2, 12)
    np.testing.assert_array_equal(rows[2:12], np.arange(20.0).reshape(10, 2))
    assert not rows[:2].any()
    assert not rows[12:].any()
    assert not buffer.read(20, 22).any()


def test_chunks_cover_all_rows(buffer: SampleBuffer) -> None:
    assert [(start, len(rows)) for start, rows in buffer.chunks(4)] == [(0, 4), (4, 4), (8, 2)]


def test_the_file_has_no_name(buffer: SampleBuffer, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
