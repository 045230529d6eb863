"""Data that another host stores again of an erased recording is found and removed, and its audit row is completed."""

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from recall_pipeline.audit import AUDIT, AuditRow
from recall_pipeline.catalog import CATALOG
from recall_pipeline.cli.repair import repair
from recall_pipeline.discovery import BOTS
from recall_pipeline.erasure import (
    ErasureSummary,
    erase_day,
    finish_erasures,
    forget,
    plan_for_request,
    retention_plan,
)
from recall_pipeline.errors import UsageError
from recall_pipeline.progress import no_progress, no_step_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, Table, column
from recall_pipeline.verification import Code, Kind, VerificationReport, days_to_sync_again, verify_days
from recall_pipeline_tests.erasure.conftest import CONTOSO, FABRIKAM, TABLES, Office, Traces, removed, state
from recall_pipeline_tests.erasure.old_days import fill, recording_id
from recall_pipeline_tests.erasure.test_day_erasure import PERSONAL, REASON
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored
from recall_pipeline_tests.workspace import DAY, an_id

CONTENT = b"stored again by another host"
BOT = an_id("contoso bot")
Offices = Callable[[str], Office]


@dataclasses.dataclass(frozen=True)
class Text:
    """Two columns of the table `transcripts`."""

    recording_id: str = column("Recall's id of the recording")
    text: str = column("Text of the transcript")


TRANSCRIPTS = Table("transcripts", Text)


def put(archive: Archive, key: str, content: bytes = CONTENT) -> None:
    with archive.staged_file() as staged:
        staged.write_bytes(content)
        archive.publish(staged, key)


def rows_back(name: str) -> Callable[[Archive, dict[str, list[Any]]], None]:
    """Return a function that writes a table as it was before the erasure."""

    def write(archive: Archive, before: dict[str, list[Any]]) -> None:
        table = next(table for table in TABLES if table.name == name)
        table.write(archive, DAY, before[name])

    return write


def file_back(key: str) -> Callable[[Archive, dict[str, list[Any]]], None]:
    return lambda archive, _: put(archive, key)


AUDIO = an_id("contoso mp3 0")
RETURNS: dict[str, tuple[Callable[[Archive, dict[str, list[Any]]], None], int]] = {
    "the table bots": (rows_back("bots"), 0),
    "the table recordings": (rows_back("recordings"), 0),
    "the table mixed_audio": (rows_back("mixed_audio"), 0),
    "the table audio_catalog": (rows_back("audio_catalog"), 0),
    "the table waveforms": (rows_back("waveforms"), 0),
    "an original": (file_back(Layout.source(DAY, CONTOSO, AUDIO)), 1),
    "a newer version": (file_back(Layout.source(DAY, CONTOSO, AUDIO, "0123abcd")), 1),
    "a normalized file": (file_back(Layout.normalized(DAY, CONTOSO, AUDIO, "flac")), 1),
    "another format": (file_back(Layout.normalized(DAY, CONTOSO, AUDIO, "mp3")), 1),
    "an MP3 of another id": (file_back(Layout.source(DAY, CONTOSO, an_id("another mp3"))), 1),
    "a file of an odd name": (file_back(f"mixed_audio/day={DAY}/{CONTOSO}/.{AUDIO}.mp3.k2j3h4"), 1),
}


def erased(archive: Archive) -> dict[str, list[Any]]:
    """Erase the recording of contoso, and return the tables as they were before."""
    before = {table.name: list(table.read(archive, DAY)) for table in TABLES}
    plan = plan_for_request(archive, recording_id=CONTOSO)
    forget(archive, plan, REASON, no_progress)
    return before


def audit(archive: Archive) -> dict[str | None, AuditRow]:
    """The audit rows of the day, by recording or bot."""
    return {row.recording_id or row.bot_id: row for row in AUDIT.read(archive, DAY) or []}


def verified(office: Office) -> VerificationReport:
    return verify_days(office.archive, office.settings, [DAY], no_step_progress)


def found(office: Office) -> list[str]:
    """Lines of the problems of the kind `erased`."""
    return [problem.line for problem in verified(office).problems if problem.kind is Kind.ERASED]


@pytest.fixture(params=RETURNS)
def returned(request: pytest.FixtureRequest) -> tuple[Callable[[Archive, dict[str, list[Any]]], None], int]:
    """A function that stores data again as another host does, and the number of its files."""
    return RETURNS[request.param]


def again(office: Office) -> ErasureSummary:
    """Request the erasure of the recording once more."""
    plan = plan_for_request(office.archive, recording_id=CONTOSO)
    return forget(office.archive, plan, "request 99", no_progress)


def by_age(office: Office) -> ErasureSummary:
    plan = plan_for_request(office.archive, before=DAY.replace(day=3))
    ids = plan.days[DAY]  # the others of the day are too young for this test
    old = dataclasses.replace(ids, recordings=ids.recordings & {CONTOSO}, bots=ids.bots & {BOT})
    plan = dataclasses.replace(plan, days={DAY: old})
    return forget(office.archive, plan, "retention", no_progress)


WAYS: dict[str, Callable[[Office], ErasureSummary]] = {
    "forget": again,
    "by age": by_age,
    "finish_erasures": lambda office: finish_erasures(office.archive, DAY),
}


@pytest.mark.parametrize("way", WAYS)
def test_data_stored_again_is_removed_and_the_audit_row_is_renewed(
    office: Office, returned: tuple[Callable[[Archive, dict[str, list[Any]]], None], int], way: str
) -> None:
    before = erased(office.archive)
    first, expected = audit(office.archive), {**state(office.archive), "audit": None}
    returned[0](office.archive, before)
    assert found(office) != []
    summary = WAYS[way](office)
    assert summary.files == returned[1]
    assert {**state(office.archive), "audit": None} == expected
    assert found(office) == []
    assert Traces(office.archive).of(*PERSONAL) == set()
    rows = audit(office.archive)
    name = BOT if returned[0] is RETURNS["the table bots"][0] else CONTOSO
    assert (rows[name].finished_at or 0) > (first[name].finished_at or 0)  # type: ignore[operator]
    assert (rows[name].reason, rows[name].began_at) == (REASON, first[name].began_at)
    assert rows[CONTOSO].files == first[CONTOSO].files + returned[1]
    assert rows[CONTOSO].bytes == first[CONTOSO].bytes + returned[1] * len(CONTENT)
    hashes = {file["sha256"] for file in removed(rows[CONTOSO])}
    assert (hashlib.sha256(CONTENT).hexdigest() in hashes) == bool(returned[1])


@pytest.mark.parametrize("kind", FOLDER_AND_BUCKET)
def test_files_and_columns_are_removed_on_either_storage(
    kind: str, office_at: Offices, request: pytest.FixtureRequest
) -> None:
    office = office_at(request.getfixturevalue(kind))
    before = erased(office.archive)
    for act, _ in RETURNS.values():
        act(office.archive, before)
    assert finish_erasures(office.archive, DAY).files == 6
    assert Traces(office.archive).of(*PERSONAL) == set()
    assert found(office) == []
    assert finish_erasures(office.archive, DAY) == ErasureSummary()


def test_no_byte_changes_if_nothing_is_stored_again(office: Office) -> None:
    erased(office.archive)
    before = stored(office.archive.location.root)
    assert finish_erasures(office.archive, DAY) == ErasureSummary()
    assert again(office) == ErasureSummary()
    assert stored(office.archive.location.root) == before


def test_a_day_without_an_audit_costs_one_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    open_file = Archive.open_file

    def counted(archive: Archive, key: str) -> BinaryIO | None:
        reads.append(key)
        return open_file(archive, key)

    monkeypatch.setattr(Archive, "open_file", counted)
    monkeypatch.setattr(Archive, "read", None)
    monkeypatch.setattr(Archive, "sizes_below", None)
    assert finish_erasures(office.archive, DAY) == ErasureSummary()
    assert reads == [AUDIT.key(DAY)]


def test_an_interrupted_erasure_is_finished(office: Office) -> None:
    plan = plan_for_request(office.archive, recording_id=CONTOSO)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Archive, "remove_below", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase_day(office.archive, DAY, plan.days[DAY], REASON)
    assert finish_erasures(office.archive, DAY).files == 4
    assert Traces(office.archive).of(*PERSONAL) == set()


@pytest.mark.parametrize("is_back", [False, True])
def test_an_id_that_only_the_audit_knows_is_already_erased(office: Office, is_back: bool) -> None:
    erased(office.archive)
    for table in TABLES:
        office.archive.remove(table.key(DAY))
    key = Layout.source(DAY, CONTOSO, AUDIO)
    if is_back:
        put(office.archive, key)
    assert again(office).files == int(is_back)
    assert plan_for_request(office.archive, recording_id=CONTOSO).days == {}
    assert plan_for_request(office.archive, bot_id=BOT).days == {}
    assert key not in stored(office.archive.location.root)
    with pytest.raises(UsageError, match="is not in the archive"):
        plan_for_request(office.archive, recording_id=an_id("unknown"))


def test_files_of_an_erased_recording_are_not_counted_as_verified(office: Office) -> None:
    before = erased(office.archive)
    files = verified(office).files
    for act, _ in RETURNS.values():
        act(office.archive, before)
    report = verified(office)
    assert (report.files, report.verified_files) == (files, files)
    assert {problem.recording_id for problem in report.problems if problem.kind is Kind.ERASED} == {CONTOSO, None}
    assert f"{DAY} erased: recording {CONTOSO} is erased, but its row in recordings is still there: " in "".join(
        problem.line for problem in report.problems
    )
    assert report.count(Kind.ORPHANED) == 0


def test_a_transcript_of_an_erased_recording_is_reported(office: Office) -> None:
    erased(office.archive)
    TRANSCRIPTS.write(office.archive, DAY, [Text(CONTOSO, "good morning"), Text(FABRIKAM, "good evening")])
    assert found(office) == [
        f"{DAY} erased: recording {CONTOSO} is erased, but its transcript is still there: "
        "materialize its day of `transcripts`"
    ]


def test_repair_removes_data_stored_again_and_downloads_none(office: Office) -> None:
    before = erased(office.archive)
    for act, _ in RETURNS.values():
        act(office.archive, before)
    requests = len(office.media_requests())
    done = repair(office.settings, office.archive, verified(office), no_step_progress)
    assert done.error_lines == []
    left = [problem for problem in done.report.problems if problem.code is not Code.URI_ELSEWHERE]  # of a copy
    assert left == []
    assert len(office.media_requests()) == requests
    assert Traces(office.archive).of(*PERSONAL) == set()


def test_transcripts_that_cannot_be_read_hide_no_orphan_and_block_no_repair(office: Office) -> None:
    erased(office.archive)
    put(office.archive, TRANSCRIPTS.key(DAY), b"damaged")
    put(office.archive, Layout.source(DAY, FABRIKAM, an_id("stray")))
    report = verified(office)
    assert {(p.kind, p.subject) for p in report.problems} == {
        (Kind.UNREADABLE, TRANSCRIPTS.key(DAY)),
        (Kind.ORPHANED, Layout.source(DAY, FABRIKAM, an_id("stray"))),
    }
    assert days_to_sync_again(report)[0] == [DAY]


def test_an_audit_that_cannot_be_read_is_reported(office: Office) -> None:
    erased(office.archive)
    put(office.archive, AUDIT.key(DAY), b"damaged")
    assert (Kind.UNREADABLE, AUDIT.key(DAY)) in {(p.kind, p.subject) for p in verified(office).problems}


def test_retention_checks_erased_recordings_again_without_counting_them(archive: Archive) -> None:
    days = fill(archive, 6)
    settings = Settings(retention_limit=2)
    forget(archive, retention_plan(archive, settings, 3), "retention", no_progress)
    assert retention_plan(archive, settings, 3).days == {}
    for day in days[:2]:
        put(archive, Layout.source(day, recording_id(day), an_id(f"audio of {day}")))
    plan = retention_plan(archive, Settings(retention_limit=0), 3)
    assert list(plan.days) == days[:2]
    assert forget(archive, plan, "retention", no_progress).files == 2
    assert retention_plan(archive, settings, 3).days == {}


def test_a_bot_with_only_its_own_row_stored_again_is_found(office: Office) -> None:
    before = erased(office.archive)
    BOTS.write(office.archive, DAY, before["bots"])
    plan = plan_for_request(office.archive, bot_id=BOT)
    assert (plan.recordings, plan.bots) == (0, 1)


def test_rows_that_are_not_erased_are_not_reported(office: Office) -> None:
    erased(office.archive)
    assert {row.recording_id for row in CATALOG.read(office.archive, DAY) or []} > {CONTOSO, FABRIKAM}
    assert found(office) == []
