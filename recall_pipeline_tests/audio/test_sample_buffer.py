"""Where sound waits on disk, unseen."""

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


def test_what_was_added_is_read_back(buffer: SampleBuffer) -> None:
    np.testing.assert_array_equal(buffer.read(2, 9), np.arange(20.0).reshape(10, 2)[2:9])


def test_outside_there_is_silence(buffer: SampleBuffer) -> None:
    rows = buffer.read(-2, 12)
    np.testing.assert_array_equal(rows[2:12], np.arange(20.0).reshape(10, 2))
    assert not rows[:2].any()
    assert not rows[12:].any()
    assert not buffer.read(20, 22).any()


def test_chunks_cover_it(buffer: SampleBuffer) -> None:
    assert [(start, len(rows)) for start, rows in buffer.chunks(4)] == [(0, 4), (4, 4), (8, 2)]


def test_it_has_no_name_on_the_disk(buffer: SampleBuffer, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
