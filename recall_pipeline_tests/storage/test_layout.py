"""Every path of the archive (docs/design/interface.md, section 3)."""

from datetime import date

import pytest

from recall_pipeline.errors import TableUnreadable
from recall_pipeline.storage import Layout
from recall_pipeline.storage.layout import TableName

DAY = date(2026, 3, 2)
RECORDING = "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f"
AUDIO = "e9d0a1b2-3344-4c55-9d66-778899aabbcc"


@pytest.mark.parametrize("table", ["bots", "recordings", "mixed_audio", "audio_catalog"])
def test_a_table_is_in_the_hive_partition_of_its_day(table: TableName) -> None:
    assert Layout.table(table, DAY) == f"{table}/day=2026-03-02/{table}.parquet"


def test_an_original_is_below_its_recording_and_named_by_its_artifact() -> None:
    assert Layout.source(DAY, RECORDING, AUDIO) == f"mixed_audio/day=2026-03-02/{RECORDING}/{AUDIO}.mp3"


def test_a_later_version_of_an_original_has_its_checksum_before_the_suffix() -> None:
    key = Layout.source(DAY, RECORDING, AUDIO, "0badcafe")
    assert key == f"mixed_audio/day=2026-03-02/{RECORDING}/{AUDIO}.0badcafe.mp3"


def test_a_normalized_file_has_its_format_as_suffix() -> None:
    key = Layout.normalized(DAY, RECORDING, AUDIO, "flac")
    assert key == f"normalized_audio/day=2026-03-02/{RECORDING}/{AUDIO}.flac"


@pytest.mark.parametrize("folder", ["mixed_audio", "normalized_audio"])
@pytest.mark.parametrize(
    "key", [Layout.normalized(DAY, RECORDING, AUDIO, "opus", "0badcafe"), Layout.source(DAY, RECORDING, AUDIO)]
)
def test_a_key_is_found_in_a_uri_of_any_archive_root(folder: str, key: str) -> None:
    assert Layout.key_in(f"s3://bucket/{folder}/day=old/{key}") == key


@pytest.mark.parametrize("path", ["/data/bots/day=2026-03-02", "bucket/bots/day=2026-03-02/"])
def test_the_day_of_a_partition_is_read_from_its_folder(path: str) -> None:
    assert Layout.day_in(path) == DAY


@pytest.mark.parametrize("path", ["/data/bots/2026-03-02", "/data/bots/day=soon", "/data/bots/.DS_Store", ""])
def test_a_folder_that_is_not_a_partition_has_no_day(path: str) -> None:
    assert Layout.day_in(path) is None


@pytest.mark.parametrize("uri", ["", "s3://bucket/other", "file:///etc/passwd", "mixed_audio/2026-03-02/x.mp3"])
def test_a_foreign_uri_is_one_clear_error(uri: str) -> None:
    with pytest.raises(TableUnreadable, match=r"which is not of a file in an archive: run recall-pipeline verify"):
        Layout.key_in(uri)
