"""Each small kind of damage is found by `verify` under its code, and clean days raise no alarm."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.days import days_between
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline.verification import CODES, Code
from recall_pipeline_tests.cli.conftest import Run, home, run
from recall_pipeline_tests.damage.conftest import FIRST, LAST, PLAIN, SILENT, Copy
from recall_pipeline_tests.golden.conftest import STORED
from recall_pipeline_tests.golden.world import recording_ids
from recall_pipeline_tests.workspace import an_id
from recall_transcripts.rows import TRANSCRIPTS

__all__ = ["home", "run"]

KINDS: list[tuple[Code, Callable[[Copy], Any]]] = []
OTHER_SHA256 = "0" * 64
VERSION = b"recall_pipeline.schema_version"


def damage(code: Code) -> Callable[[Callable[[Copy], Any]], Callable[[Copy], Any]]:
    """Register a kind of damage, and the code under which it is found."""

    def registered(do: Callable[[Copy], Any]) -> Callable[[Copy], Any]:
        KINDS.append((code, do))
        return do

    return registered


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def stated(content: pa.Table, version: str) -> pa.Table:
    return content.replace_schema_metadata({**(content.schema.metadata or {}), VERSION: version.encode()})


@damage(Code.ARCHIVE_UNREADABLE)
def archive_json_is_cut(copy: Copy) -> None:
    (copy.root / "archive.json").write_text('{"format": 1, "crea')


@damage(Code.ARCHIVE_UNREADABLE)
def archive_json_is_empty(copy: Copy) -> None:
    (copy.root / "archive.json").write_bytes(b"")


@damage(Code.FILE_CHANGED)
def a_bit_is_flipped_in_an_mp3(copy: Copy) -> None:
    flip(copy.mp3, 500)


@damage(Code.FILE_CHANGED)
def a_bit_is_flipped_in_a_normalized_file(copy: Copy) -> None:
    flip(copy.flac, -5)


@damage(Code.FILE_SIZE_DIFFERS)
def an_mp3_lacks_its_last_byte(copy: Copy) -> None:
    copy.mp3.write_bytes(copy.mp3.read_bytes()[:-1])


@damage(Code.FILE_SIZE_DIFFERS)
def an_mp3_has_a_byte_more(copy: Copy) -> None:
    copy.mp3.write_bytes(copy.mp3.read_bytes() + b"\0")


@damage(Code.FILE_EMPTY)
def an_mp3_is_empty(copy: Copy) -> None:
    copy.mp3.write_bytes(b"")


@damage(Code.FILE_EMPTY)
def a_normalized_file_is_empty(copy: Copy) -> None:
    copy.flac.write_bytes(b"")


@damage(Code.FILE_MISSING)
def an_mp3_is_missing(copy: Copy) -> None:
    copy.mp3.unlink()


@damage(Code.FILE_MISSING)
def a_normalized_file_is_missing(copy: Copy) -> None:
    copy.flac.unlink()


@damage(Code.FILE_MISSING)
def the_folder_of_all_normalized_files_is_missing(copy: Copy) -> None:
    shutil.rmtree(copy.root / "normalized_audio")


@damage(Code.FILE_UNREFERENCED)
def an_mp3_has_another_name(copy: Copy) -> None:
    copy.mp3.rename(copy.mp3.with_name(f"{an_id('other')}.mp3"))


@damage(Code.FILE_UNREFERENCED)
def an_mp3_has_its_id_in_upper_case(copy: Copy) -> None:
    copy.mp3.rename(copy.mp3.with_name(f"{copy.mp3.stem.upper()}.mp3"))


@damage(Code.FILE_UNREFERENCED)
def the_folder_of_a_recording_has_its_id_in_upper_case(copy: Copy) -> None:
    copy.mp3.parent.rename(copy.mp3.parent.with_name(PLAIN.upper()))


@damage(Code.FILE_UNREFERENCED)
def an_mp3_is_stored_that_no_row_has(copy: Copy) -> None:
    shutil.copy(copy.mp3, copy.mp3.with_name(f"{an_id('other')}.mp3"))


@damage(Code.FILE_CHANGED)
def an_mp3_is_that_of_another_recording_of_the_same_size(copy: Copy) -> None:
    other = copy.files("mixed_audio", SILENT)[0].read_bytes()
    copy.mp3.write_bytes(other[: copy.mp3.stat().st_size].ljust(copy.mp3.stat().st_size, b"\0"))


@damage(Code.FILE_CHANGED)
def an_older_version_has_another_hash_than_its_name(copy: Copy) -> None:
    shutil.copy(copy.mp3, copy.mp3.with_name(f"{copy.mp3.stem}.0badcafe.mp3"))


@damage(Code.FILE_UNEXPECTED)
def a_temporary_file_is_left_beside_an_mp3(copy: Copy) -> None:
    (copy.mp3.parent / ".tmp").write_bytes(b"partial")


@damage(Code.FILE_UNEXPECTED)
def a_copy_of_a_table_is_beside_it(copy: Copy) -> None:
    shutil.copy(copy.table(CATALOG), copy.table(CATALOG).with_name("audio_catalog (1).parquet"))


@damage(Code.NAME_UNEXPECTED)
def a_day_folder_is_copied_under_a_strange_name(copy: Copy) -> None:
    shutil.copytree(copy.table(CATALOG).parent, copy.root / "audio_catalog" / f"day={FIRST} copy")


@damage(Code.NAME_UNEXPECTED)
def a_day_folder_is_renamed_to_a_short_form(copy: Copy) -> None:
    copy.table(CATALOG).parent.rename(copy.root / "audio_catalog" / f"day={FIRST:%Y%m%d}")


@damage(Code.TABLE_OF_OTHER_DAY)
def a_day_folder_is_renamed_to_another_day(copy: Copy) -> None:
    BOTS.write(copy.archive, FIRST, BOTS.read(copy.archive, FIRST) or [])
    shutil.rmtree(copy.table(BOTS, LAST).parent)
    copy.table(BOTS).parent.rename(copy.table(BOTS, LAST).parent)


@damage(Code.ROW_OF_OTHER_DAY)
def a_table_is_that_of_another_day(copy: Copy) -> None:
    shutil.copy(copy.table(RECORDINGS, LAST), copy.table(RECORDINGS))


@damage(Code.KEY_MISPLACED)
def the_mp3s_are_those_of_another_day(copy: Copy) -> None:
    shutil.copy(copy.table(MIXED_AUDIO, LAST), copy.table(MIXED_AUDIO))


@damage(Code.COLUMN_UNEXPECTED)
def a_table_is_swapped_with_another_one(copy: Copy) -> None:
    shutil.copy(copy.table(CATALOG), copy.table(RECORDINGS))


@damage(Code.TABLE_UNREADABLE)
def a_table_is_swapped_with_one_of_other_rows(copy: Copy) -> None:
    shutil.copy(copy.table(BOTS), copy.table(CATALOG))


@damage(Code.TABLE_UNREADABLE)
def a_table_lacks_its_end(copy: Copy) -> None:
    copy.table(CATALOG).write_bytes(copy.table(CATALOG).read_bytes()[:-20])


@damage(Code.TABLE_UNREADABLE)
def a_table_is_empty(copy: Copy) -> None:
    copy.table(BOTS).write_bytes(b"")


@damage(Code.TABLE_UNREADABLE)
def a_bit_is_flipped_in_the_footer_of_a_table(copy: Copy) -> None:
    flip(copy.table(MIXED_AUDIO), -6)


@damage(Code.TABLE_UNREADABLE)
def a_required_column_is_missing(copy: Copy) -> None:
    copy.change(CATALOG, lambda content: content.drop_columns(["outcome"]))


@damage(Code.TABLE_UNREADABLE)
def a_required_value_is_missing(copy: Copy) -> None:
    copy.put(CATALOG, "outcome", None)


@damage(Code.TABLE_UNREADABLE)
def the_transcripts_are_not_parquet(copy: Copy) -> None:
    copy.table(TRANSCRIPTS).write_bytes(b"not Parquet")


@damage(Code.TABLE_UNREADABLE)
def the_audit_lacks_its_end(copy: Copy) -> None:
    copy.table(AUDIT).write_bytes(copy.table(AUDIT).read_bytes()[:-1])


@damage(Code.TABLE_NEWER)
def a_table_is_of_a_newer_schema(copy: Copy) -> None:
    copy.change(RECORDINGS, lambda content: stated(content, "99"))


@damage(Code.TABLE_UNVERSIONED)
def a_table_was_written_by_another_program(copy: Copy) -> None:
    copy.change(BOTS, lambda content: content.replace_schema_metadata(None))


@damage(Code.TABLE_MISSING)
def a_table_is_missing(copy: Copy) -> None:
    copy.table(RECORDINGS).unlink()


@damage(Code.DAY_MISSING)
def a_day_is_missing(copy: Copy) -> None:
    before = FIRST - timedelta(days=2)
    for table in (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG):
        table.write(copy.archive, before, [])


@damage(Code.ROW_MISSING)
def a_catalog_has_no_rows(copy: Copy) -> None:
    copy.change(CATALOG, lambda content: content.slice(0, 0))


@damage(Code.ROW_MISSING)
def the_mp3s_have_no_rows(copy: Copy) -> None:
    copy.change(MIXED_AUDIO, lambda content: content.slice(0, 0))


@damage(Code.ROW_MISSING)
def a_recording_is_lost_in_the_catalog(copy: Copy) -> None:
    copy.drop(CATALOG)


@damage(Code.ROW_MISSING)
def a_recording_is_lost_in_every_table_but_one(copy: Copy) -> None:
    copy.drop(CATALOG)
    copy.drop(RECORDINGS)


@damage(Code.ROWS_REPEATED)
def a_table_has_all_rows_twice(copy: Copy) -> None:
    copy.change(CATALOG, lambda content: pa.concat_tables([content, content]))


@damage(Code.ROWS_REPEATED)
def a_bot_has_two_rows(copy: Copy) -> None:
    copy.change(BOTS, lambda content: pa.concat_tables([content, content.slice(0, 1)]))


@damage(Code.COLUMN_UNEXPECTED)
def a_table_has_a_column_more(copy: Copy) -> None:
    copy.change(CATALOG, lambda content: content.append_column("note", pa.array(["x"] * len(content))))


@damage(Code.COLUMN_TYPE_DIFFERS)
def a_column_has_another_type(copy: Copy) -> None:
    def narrowed(content: pa.Table) -> pa.Table:
        number = content.schema.get_field_index("source_bytes")
        return content.set_column(number, "source_bytes", content["source_bytes"].cast(pa.int32()))

    copy.change(MIXED_AUDIO, narrowed)


@damage(Code.COLUMN_MISSING)
def an_optional_column_is_missing(copy: Copy) -> None:
    copy.change(CATALOG, lambda content: content.drop_columns(["gain_db"]))


@damage(Code.ROWS_CONTRADICT)
def a_catalog_row_has_another_hash_of_the_mp3(copy: Copy) -> None:
    copy.put(CATALOG, "source_sha256", OTHER_SHA256)


@damage(Code.FILE_CHANGED)
def a_catalog_row_has_another_hash_of_the_normalized_file(copy: Copy) -> None:
    copy.put(CATALOG, "audio_sha256", OTHER_SHA256)


@damage(Code.FILE_SIZE_DIFFERS)
def a_row_has_another_size_of_the_mp3(copy: Copy) -> None:
    copy.put(MIXED_AUDIO, "source_bytes", 7)


@damage(Code.ROW_INCOMPLETE)
def a_ready_row_references_no_file(copy: Copy) -> None:
    copy.put(CATALOG, "audio_uri", None)


@damage(Code.ROW_INCOMPLETE)
def an_archived_mp3_has_no_hash(copy: Copy) -> None:
    copy.put(MIXED_AUDIO, "source_sha256", None)


@damage(Code.OUTCOME_UNKNOWN)
def a_row_has_an_unknown_outcome(copy: Copy) -> None:
    copy.put(CATALOG, "outcome", "almost ready")


@damage(Code.KEY_MISPLACED)
def a_key_leads_out_of_the_archive(copy: Copy) -> None:
    copy.put(MIXED_AUDIO, "source_key", f"mixed_audio/day={FIRST}/../../../secret.mp3")


@damage(Code.KEY_MISPLACED)
def a_uri_is_that_of_something_else(copy: Copy) -> None:
    copy.put(CATALOG, "audio_uri", "https://example.com/a.flac")


@damage(Code.KEY_MISPLACED)
def a_key_is_that_of_another_recording(copy: Copy) -> None:
    copy.put(CATALOG, "audio_key", f"normalized_audio/day={FIRST}/{SILENT}/{copy.flac.name}")


@damage(Code.KEY_MISPLACED)
def an_id_in_a_row_is_in_upper_case(copy: Copy) -> None:
    copy.put(CATALOG, "audio_id", copy.mp3.stem.upper())


@damage(Code.URI_ELSEWHERE)
def a_uri_is_stale(copy: Copy) -> None:
    key = copy.flac.relative_to(copy.root).as_posix()
    copy.put(CATALOG, "audio_uri", f"s3://old-bucket/archive/{key}")


@damage(Code.AUDIT_ROW_MISSING)
def the_audit_has_lost_its_rows(copy: Copy) -> None:
    shutil.rmtree(copy.root / "audit")


@damage(Code.ERASED_DATA_STORED)
def a_table_from_before_an_erasure_is_restored(copy: Copy) -> None:
    copy.put(CATALOG, "bot_name", "Private Bot", recording_ids("let-go")[0])


def test_there_are_forty_kinds_and_every_code_that_a_file_can_have_is_found() -> None:
    assert len(KINDS) >= 40
    assert {code for code, _ in KINDS} == set(Code) - {Code.FILE_UNDECODABLE, Code.FILE_UNREADABLE}


def test_every_code_is_explained_with_its_cure() -> None:
    assert set(CODES) == set(Code)
    assert all(each.meaning and each.cure for each in CODES.values())


@pytest.mark.parametrize(("code", "do"), [pytest.param(code, do, id=do.__name__) for code, do in KINDS])
def test_damage_is_found_under_its_code(code: Code, do: Callable[[Copy], Any], copy: Copy) -> None:
    do(copy)
    assert code in copy.codes()


def test_an_intact_copy_has_no_problem(copy: Copy) -> None:
    assert copy.codes() == set()


def test_an_archive_of_the_first_version_has_no_other_problem_than_its_place(copy: Copy, tmp_path: Path) -> None:
    assert Copy(shutil.copytree(STORED, tmp_path / "moved")).codes() == {Code.URI_ELSEWHERE}


def test_verify_prints_the_code(run: Run, copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", str(copy.root))
    monkeypatch.setenv("RECALL_START_DATE", f"{FIRST}")
    flip(copy.mp3, 500)
    (copy.root / "bots" / "day=backup").mkdir()
    result = run("verify", "--json")
    found = {problem["code"]: problem["what"] for problem in json.loads(result.out)["problems"]}
    assert result.status == 1
    assert found == {
        "file_changed": copy.mp3.relative_to(copy.root).as_posix(),
        "name_unexpected": "bots/day=backup",
    }


def test_verify_reads_an_archive_whose_identity_is_damaged(
    run: Run, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", str(copy.root))
    monkeypatch.setenv("RECALL_START_DATE", f"{FIRST}")
    archive_json_is_cut(copy)
    flip(copy.mp3, 500)
    result = run("verify", "--json")
    found = json.loads(result.out)
    assert (result.status, found["unreadable"], found["changed"]) == (1, 1, 1)
    assert {problem["code"] for problem in found["problems"]} == {"archive_unreadable", "file_changed"}
    assert "archive.json is damaged" in result.err


def test_the_parts_of_a_subset_together_read_every_file_once(
    run: Run, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", str(copy.root))
    monkeypatch.setenv("RECALL_START_DATE", f"{FIRST}")
    reports = [json.loads(run("verify", "--json", *option).out) for option in
               ((), ("--subset", "1/3"), ("--subset", "2/3"), ("--subset", "3/3"))]  # fmt: skip
    whole, *parts = (report["files"] for report in reports)
    assert sum(parts) == whole
    assert all(0 < part < whole for part in parts)
    assert [run("verify", "--subset", wrong).status for wrong in ("0/3", "4/3", "1", "a/b")] == [2, 2, 2, 2]


def test_fifty_clean_days_raise_no_alarm(tmp_path: Path) -> None:
    first = date(2026, 1, 1)
    copy = Copy(tmp_path / "clean")
    archive = open_archive(Settings(storage_url=str(copy.root)))
    outcomes = sorted({*Outcome} - {Outcome.READY, Outcome.SILENT, Outcome.FORGOTTEN, Outcome.CORRUPT})
    for number, day in enumerate(days_between(first, first + timedelta(days=49))):
        moment = datetime.combine(day, time(number % 24), UTC)
        ids = [an_id(f"{day} {index}") for index in range(number % 4)]
        archive_bots = [BotRow(name, bot_name="Bot", is_finished=True, media_expired=False) for name in ids]
        recordings = [RecordingRow(name, moment, bot_id=name, status_code="done") for name in ids]
        mp3s = [MixedAudioRow(name, an_id(f"mp3 {name}"), status_code="done") for name in ids[:2]]
        audio = {row.recording_id: row.audio_id for row in mp3s}
        catalog = [
            CatalogRow(name, audio.get(name), outcome=outcomes[(number + index) % len(outcomes)], created_at=moment)
            for index, name in enumerate(ids)
        ]
        BOTS.write(archive, day, archive_bots)
        RECORDINGS.write(archive, day, recordings)
        MIXED_AUDIO.write(archive, day, mp3s)
        CATALOG.write(archive, day, catalog)
    assert copy.codes() == set()
