"""An archive in a folder whose name is a glob pattern, beside a neighbour that the pattern matches."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import fsspec
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import read_catalog, read_recordings
from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.webhooks import Event, EventStore, webhook_app
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, YESTERDAY, Run
from recall_pipeline_tests.erasure.old_days import fill, outcomes
from recall_pipeline_tests.storages import stored
from recall_pipeline_tests.webhooks.signing import SECRET, headers, payload

BOTH_DAYS = ("--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}")
PATTERN_AND_NEIGHBOUR = [
    ("Meetings [EU] all* what?", "Meetings E all of them what1"),
    ("Meetings [!a]", "Meetings E"),
    ("{a,b} 50% & #1; 'ü' $x ~ +", "a"),
]
ON_A_BUCKET = (PATTERN_AND_NEIGHBOUR[0], PATTERN_AND_NEIGHBOUR[2])  # the store of a bucket treats all patterns alike


@pytest.fixture
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(getattr(request, "param", "folder_url")))


@pytest.mark.parametrize(
    ("storage_url", "pattern", "neighbour"),
    [
        *(pytest.param("folder_url", *names) for names in PATTERN_AND_NEIGHBOUR),
        *(pytest.param("bucket_url", *names, marks=pytest.mark.xdist_group("s3")) for names in ON_A_BUCKET),
    ],
    indirect=["storage_url"],
)
def test_all_commands_work_on_an_archive_named_like_a_pattern_and_leave_its_neighbour_unchanged(
    sandboxed: Run, storage_url: str, pattern: str, neighbour: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def use(name: str) -> tuple[Settings, Archive]:
        monkeypatch.setenv("RECALL_STORAGE_URL", f"{storage_url}/{name}")
        monkeypatch.setenv("RECALL_SPOOL_DIR", str(tmp_path / f"spool {name}"))
        settings = Settings.from_environment()
        return settings, open_archive(settings)

    def keep(archive: Archive) -> None:
        EventStore(archive).store(Event("msg_1", "bot.done", datetime(2026, 3, 2, tzinfo=UTC)))

    _, other = use(neighbour)
    assert sandboxed("sync", *BOTH_DAYS).status == 0
    keep(other)
    before = stored(other.location.root)

    settings, archive = use(pattern)
    assert sandboxed("sync", *BOTH_DAYS).status == 0
    keep(archive)
    assert sandboxed("verify", *BOTH_DAYS).status == 0
    assert len(json.loads(sandboxed("catalog", "--format", "json").out)) == 3
    for recording in read_recordings(settings=settings):
        with fsspec.open(recording.audio_uri) as opened:
            assert opened.read(4) == b"fLaC"
    exported = tmp_path / f"export {pattern}"
    assert sandboxed("export", "--to", "csv", "--out", str(exported), "--copy").status == 0
    [listed] = exported.glob("*.csv")
    assert len(list(csv.DictReader(listed.read_text("utf-8").splitlines()))) == 2

    events = EventStore(archive)
    assert [event.event_id for event in events.pending()] == ["msg_1"]
    events.mark_consumed(events.pending(), YESTERDAY)
    assert (events.pending(), events.remove_expired(datetime(2100, 1, 1, tzinfo=UTC).date())) == ([], 1)

    [erased] = read_catalog(first=YESTERDAY, outcomes=["ready"], settings=settings)["recording_id"]
    assert sandboxed("forget", "--recording", erased, "--reason", "request 17", "--yes").status == 0
    assert [key for key in stored(archive.location.root) if erased in key] == []
    [row] = [row for row in AUDIT.read(archive, YESTERDAY) or [] if row.recording_id == erased]
    assert (row.files, row.finished_at is not None) == (2, True)
    assert stored(other.location.root) == before


@pytest.mark.parametrize("name", ["::", "s3::x"])
def test_two_colons_in_a_folder_are_part_of_its_name(
    sandboxed: Run, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", f"{tmp_path}/{name}")
    assert sandboxed("sync", *BOTH_DAYS).status == 0
    assert sandboxed("verify", *BOTH_DAYS).status == 0
    assert (tmp_path / name / "audio_catalog").is_dir()


ODD_NAMES = ("Meetings [EU]", "a*b?", "ü é", "%3A", "a+b", "x::y", "{a,b}", "#1 & ~")


@pytest.mark.parametrize(
    ("storage_url", "name"),
    [
        *(pytest.param("folder_url", name, id=f"folder {name}") for name in ODD_NAMES),
        *(
            pytest.param("bucket_url", name, id=f"bucket {name}", marks=pytest.mark.xdist_group("s3"))
            for name in ODD_NAMES[:5]
        ),
    ],
    indirect=["storage_url"],
)
def test_retention_and_webhooks_keep_to_their_own_prefix(
    storage_url: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECALL_SPOOL_DIR", str(tmp_path / "spool"))
    neighbours = [open_archive(Settings(storage_url=f"{storage_url}/{other}")) for other in ("Meetings E", "axb1", "a")]
    for neighbour in neighbours:
        fill(neighbour, 1)
    before = [stored(neighbour.location.root) for neighbour in neighbours]

    settings = Settings(storage_url=f"{storage_url}/{name}", retention_days=2, webhook_secret=SecretStr(SECRET))
    archive = open_archive(settings)
    days = fill(archive, 4)
    body = payload()
    with TestClient(webhook_app(settings)) as receiver:
        assert receiver.post("/", content=body, headers=headers(body)).status_code == 204
    events = EventStore(archive)
    assert len(events.pending()) == 1
    events.mark_consumed(events.pending(), YESTERDAY)
    assert events.pending_count() == 0

    job = build_definitions(settings).resolve_job_def("retention")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
    assert sorted(set(outcomes(archive, days))) == ["forgotten", "ready"]
    assert [stored(neighbour.location.root) for neighbour in neighbours] == before
