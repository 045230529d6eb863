"""The audio columns of a day are in a temporary file, not in memory."""

import resource
from array import array

import pytest

from recall_pipeline.audio import Peaks
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.spooled_columns import SpooledColumns
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

_PEAKS = Peaks(0.5, array("b", [-127] * 1_000_000), array("b", [127] * 1_000_000))
_MADE = AudioColumns({"audio_key": "a.flac", "audio_lufs": -16.0}, codes=("limited",), peaks=_PEAKS)
_KEPT = AudioColumns({"audio_key": "b.flac"})


def test_columns_come_back_as_they_were_also_those_of_a_large_day(archive: Archive) -> None:
    names = [f"audio {number}" for number in range(8)]
    with SpooledColumns(archive) as columns:
        for name in names:
            columns.put(name, _MADE)
        columns.put("kept", _KEPT)
        assert {*columns} == {*names, "kept"}
        assert [columns[name] for name in reversed(names)] == [_MADE] * 8
        assert columns.get("kept") == _KEPT
        assert columns.get("unknown") is None
        assert [path for path in archive.staging_folder.rglob("*") if path.is_file()] == []


def test_columns_that_are_put_again_replace_the_earlier_ones(archive: Archive) -> None:
    with SpooledColumns(archive) as columns:
        columns.put("one", _MADE)
        assert columns.with_peaks == {"one"}
        columns.put("one", _KEPT)
        assert (columns["one"], columns.with_peaks, len(columns)) == (_KEPT, set(), 1)


def test_equal_texts_of_a_day_are_in_memory_once(archive: Archive) -> None:
    with SpooledColumns(archive) as columns:
        for name in ("one", "two"):
            columns.put(name, AudioColumns({"audio_recipe": "the engine and the target"}))
        assert columns["one"].values["audio_recipe"] is columns["two"].values["audio_recipe"]


def test_a_full_disk_is_an_error_that_names_the_staging_folder(archive: Archive) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SpooledColumns(archive) as columns:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
        try:
            with pytest.raises(StorageError, match=str(archive.staging_folder)) as raised:
                _put_many(columns)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.is_out_of_space


def _put_many(columns: SpooledColumns) -> None:
    for number in range(4):
        columns.put(f"audio {number}", _MADE)
