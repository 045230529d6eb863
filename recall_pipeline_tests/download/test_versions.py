"""A proven file gets its name, and never takes another's place."""

import dataclasses
import hashlib
from collections.abc import Callable

import pytest

from recall_pipeline.download import MixedAudioRow
from recall_pipeline.download.versions import publish_version
from recall_pipeline.storage import Archive
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, an_id

ROW = MixedAudioRow(an_id("recording"), an_id("mp3"))
FOLDER = f"mixed_audio/day=2026-03-02/{ROW.recording_id}"
PLAIN = f"{FOLDER}/{ROW.audio_id}.mp3"

Publish = Callable[[MixedAudioRow, bytes], MixedAudioRow]


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def publish(archive: Archive) -> Publish:
    def receive_and_publish(row: MixedAudioRow, content: bytes) -> MixedAudioRow:
        received = archive.open_staging_folder() / "received.part"
        received.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        key = publish_version(archive, DAY, row, received, sha256)
        return dataclasses.replace(row, source_key=key, source_sha256=sha256)

    return receive_and_publish


def version(content: bytes) -> str:
    return f"{FOLDER}/{ROW.audio_id}.{hashlib.sha256(content).hexdigest()[:8]}.mp3"


def test_the_first_version_has_the_plain_name(archive: Archive, publish: Publish) -> None:
    assert publish(ROW, b"first").source_key == PLAIN
    assert archive.read(PLAIN) == b"first"


def test_other_bytes_lie_beside_the_old_ones_under_the_start_of_their_sha256(
    archive: Archive, publish: Publish
) -> None:
    row = publish(publish(ROW, b"first"), b"second")
    assert row.source_key == version(b"second")
    assert (archive.read(PLAIN), archive.read(version(b"second"))) == (b"first", b"second")


def test_unchanged_bytes_keep_their_name(archive: Archive, publish: Publish) -> None:
    second = publish(publish(ROW, b"first"), b"second")
    assert publish(second, b"second").source_key == version(b"second")


def test_bytes_that_come_back_find_their_old_file(archive: Archive, publish: Publish) -> None:
    second = publish(publish(ROW, b"first"), b"second")
    assert publish(second, b"first").source_key == PLAIN
    assert (archive.read(PLAIN), archive.read(version(b"second"))) == (b"first", b"second")


def test_a_file_that_no_row_names_is_not_written_over(archive: Archive, publish: Publish) -> None:
    publish(ROW, b"first")  # and the table was lost before it was written
    assert publish(ROW, b"first").source_key == PLAIN
    assert publish(ROW, b"second").source_key == version(b"second")
    assert archive.read(PLAIN) == b"first"


def test_a_file_that_was_lost_is_put_back(archive: Archive, publish: Publish) -> None:
    row = publish(ROW, b"first")
    archive.remove(PLAIN)
    assert publish(row, b"first").source_key == PLAIN
    assert archive.read(PLAIN) == b"first"


@pytest.mark.parametrize("again", [b"first", b"second"])
def test_nothing_stays_in_the_spool(archive: Archive, publish: Publish, again: bytes) -> None:
    publish(publish(ROW, b"first"), again)
    assert list(archive.staging_folder.iterdir()) == []
