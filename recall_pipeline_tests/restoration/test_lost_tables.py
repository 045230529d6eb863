"""Tables that are lost or restored from a backup after Recall.ai has removed the media: the day is complete again."""

import dataclasses
import shutil

import pytest

from recall_pipeline.audit import erased_on
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.storage import Layout
from recall_pipeline.storage.layout import TableName
from recall_pipeline_tests.restoration.conftest import GONE, TABLES, Loss
from recall_pipeline_tests.workspace import DAY, an_id

LATE, BAD, EARLY, REPLACED, ERASED = map(an_id, ("late mp3 0", "bad mp3 0", "early mp3 0", "replaced mp3 0", "erased"))
Rows = dict[str, dict[str, object]]


def rows_of(loss: Loss) -> Rows:
    """The rows of the catalog, without the time of their last change and their place."""
    apart = ("cataloged_at", "source_uri", "audio_uri")
    return {
        key: {name: value for name, value in dataclasses.asdict(row).items() if name not in apart}
        for key, row in loss.rows().items()
    }


def test_the_catalog_gives_back_rows_that_were_lost_and_what_nothing_states_is_null(loss: Loss) -> None:
    before = rows_of(loss)
    loss.lose("bots", "recordings", "mixed_audio")
    loss.sandbox.access_log.clear()
    loss.sync_all()
    assert (loss.problems(), rows_of(loss)) == ([], before)
    assert set(loss.media_requests()) <= {an_id("kept mp3 0")}
    recordings = {row.recording_id: row for row in RECORDINGS.read(loss.archive, DAY) or []}
    kept, gone, mp3 = recordings[an_id("kept")], recordings[an_id("early")], loss.row(EARLY)
    assert (kept.status_code, kept.mp3_requested) == ("done", True)  # from Recall.ai, which still lists it
    assert (gone.is_gone, gone.mp3_requested, gone.start_is_estimated) == (True, None, False)
    assert (mp3.state, mp3.captured_at, mp3.header_seconds) == ("archived", None, None)


@pytest.mark.parametrize("table", ["recordings", "mixed_audio"])
def test_the_catalog_gives_back_rows_that_a_backup_lacks(loss: Loss, table: TableName) -> None:
    before = rows_of(loss)
    loss.restore(table)
    loss.sync_all()
    assert (loss.problems(), rows_of(loss)) == ([], before)


def test_without_catalog_and_recordings_the_audio_stays_ready_and_its_start_is_unknown(loss: Loss) -> None:
    before = rows_of(loss)
    loss.lose("recordings", "audio_catalog")
    loss.sync_all()
    loss.repair()
    after = rows_of(loss)
    assert loss.problems() == []
    assert {key: row["outcome"] for key, row in after.items() if row["outcome"] != "forgotten"} == {
        key: row["outcome"] for key, row in before.items() if row["outcome"] != "forgotten"
    }
    unknown = {str(row["recording_id"]) for row in after.values() if row["findings"] == ["start_unknown"]}
    assert unknown == {an_id(name) for name in GONE}
    assert (after[EARLY]["bot_id"], after[EARLY]["started_at"]) == (None, None)


def test_of_a_day_without_any_table_the_originals_are_cataloged_and_what_was_erased_is_not(loss: Loss) -> None:
    before = loss.rows()
    loss.lose(*TABLES)
    loss.sync_all()
    loss.repair()
    after = loss.rows()
    for mp3 in (LATE, EARLY, REPLACED):
        assert (after[mp3].outcome, after[mp3].source_sha256) == ("ready", before[mp3].source_sha256)
    assert erased_on(loss.archive, DAY).recordings == {ERASED}
    assert loss.archive.sizes_below(f"{Layout.folder('mixed_audio', DAY)}/{ERASED}") == {}
    assert [line for line in loss.problems() if BAD not in line] == []


def test_a_repair_catalogs_originals_that_the_restored_tables_lack_but_no_renamed_copy(loss: Loss) -> None:
    loss.restore("mixed_audio", "audio_catalog")
    early = loss.folder / Layout.source(DAY, an_id("early"), EARLY)
    renamed = early.with_name(f"{an_id('another')}.mp3")
    shutil.copy(early, renamed)
    loss.sync_all()
    assert LATE not in loss.rows()
    loss.repair()
    assert loss.rows()[LATE].outcome == "ready"
    assert an_id("another") not in loss.rows()
    assert [line for line in loss.problems() if BAD not in line and renamed.name not in line] == []


def test_an_unreadable_catalog_stops_no_other_table_and_its_starts_are_not_estimated(loss: Loss) -> None:
    before = rows_of(loss)
    catalog = loss.folder / Layout.table("audio_catalog", DAY)
    aside = catalog.rename(loss.folder / "catalog")
    catalog.mkdir()
    loss.lose("recordings")
    loss.capture()
    assert an_id("kept") in {row.recording_id for row in RECORDINGS.read(loss.archive, DAY) or []}
    catalog.rmdir()
    aside.rename(catalog)
    loss.sync_all()
    assert (loss.problems(), rows_of(loss)) == ([], before)


def test_a_catalog_that_is_restored_later_gives_back_the_starts(loss: Loss) -> None:
    before = rows_of(loss)
    catalog = loss.folder / Layout.table("audio_catalog", DAY)
    aside = catalog.rename(loss.folder / "catalog")
    loss.lose("recordings")
    loss.capture()
    aside.rename(catalog)
    loss.sync_all()
    assert (loss.problems(), rows_of(loss)) == ([], before)
