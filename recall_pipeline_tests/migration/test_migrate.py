"""`migrate` brings an archive of an older schema or place to the present one, and changes nothing else."""

import hashlib
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.migration import TRANSCRIPT_KEYS, migrate_archive
from recall_pipeline.progress import no_step_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, open_archive, record_identity
from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.golden.conftest import EXPECTED, STORED
from recall_pipeline_tests.golden.world import FIRST, LAST
from recall_pipeline_tests.migration.conftest import BUCKET_COPY
from recall_pipeline_tests.storages import stored
from recall_transcripts.rows import TRANSCRIPTS

CATALOG_KEY = CATALOG.key(FIRST)
COUNTS = {"days": 2, "tables_rewritten": 4, "uris_rewritten": 18, "already_current": 8}
CURRENT = {"days": 2, "tables_rewritten": 0, "uris_rewritten": 0, "already_current": 12}


def states(folder: str) -> dict[str, tuple[int, int]]:
    """Modification time and inode of each file: a file that is rewritten has another."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


def migrated(run: Run, *options: str) -> dict[str, int]:
    result = run("migrate", "--json", *options)
    assert (result.status, result.err) == (0, "")
    counts: dict[str, int] = json.loads(result.out)
    return counts


def rewrite(folder: str, key: str, change: Any) -> None:
    """Replace a table by what `change` makes of it."""
    path = Path(folder) / key
    pq.write_table(change(pq.ParquetFile(path).read()), path)


def with_version(table: pa.Table, version: str) -> pa.Table:
    metadata = {**(table.schema.metadata or {}), b"recall_pipeline.schema_version": version.encode()}
    return table.replace_schema_metadata(metadata)


def test_every_uri_opens_after_a_move_to_a_folder_with_a_space(run: Run, folder_url: str) -> None:
    assert migrated(run) == COUNTS
    rows = pd.concat(pd.read_parquet(path) for path in Path(folder_url).glob("audio_catalog/*/*.parquet"))
    for kind, count in (("audio", 8), ("source", 10)):
        has_file = rows[rows[f"{kind}_uri"].notna()]
        assert len(has_file) == count
        for uri, sha256, key in has_file[[f"{kind}_uri", f"{kind}_sha256", f"{kind}_key"]].itertuples(index=False):
            with fsspec.open(uri) as file:
                assert hashlib.sha256(file.read()).hexdigest() == sha256
            assert uri == f"file://{folder_url}/{key}"


def test_a_second_run_rewrites_no_file(run: Run, folder_url: str) -> None:
    migrated(run)
    before = states(folder_url)
    assert migrated(run) == CURRENT
    assert states(folder_url) == before


def test_a_dry_run_counts_the_same_and_writes_nothing(run: Run, folder_url: str) -> None:
    before = states(folder_url)
    assert migrated(run, "--dry-run") == COUNTS
    assert states(folder_url) == before


def test_a_row_keeps_its_values_and_the_day_its_facts(run: Run, folder_url: str, archive: Archive) -> None:
    names = ["recording_id", "outcome", "cataloged_at", "source_sha256", "audio_sha256", "metadata"]
    before = CATALOG.load_columns(archive, FIRST, *names)
    migrated(run)
    assert CATALOG.load_columns(archive, FIRST, *names) == before
    assert before is not None
    assert before.facts.keys() == {"listed_at"}
    for table in (BOTS, RECORDINGS, CATALOG):
        content = pq.ParquetFile(Path(folder_url) / table.key(FIRST)).read()
        assert table.is_current(content)


def test_columns_are_derived_as_far_as_others_state_them(run: Run, archive: Archive) -> None:
    migrated(run)
    with_mp3 = {row["recording_id"] for row in EXPECTED["rows"][f"{FIRST}"] if row["audio_id"]}
    for row in RECORDINGS.read(archive, FIRST) or []:
        assert row.has_mp3 == (True if row.recording_id in with_mp3 and row.status_code else None)
    for cataloged in CATALOG.read(archive, FIRST) or []:
        assert cataloged.findings == ([] if cataloged.outcome == "forgotten" else None)


def test_a_column_that_this_version_does_not_know_is_kept(run: Run, folder_url: str) -> None:
    rewrite(folder_url, CATALOG_KEY, lambda table: table.append_column("note", pa.array(["kept"] * len(table))))
    migrated(run)
    assert set(pq.ParquetFile(Path(folder_url) / CATALOG_KEY).read()["note"].to_pylist()) == {"kept"}


@pytest.mark.parametrize("key", [BOTS.key(FIRST), TRANSCRIPTS.key(FIRST), AUDIT.key(FIRST)])
def test_every_table_gets_a_version(key: str, run: Run, folder_url: str) -> None:
    rewrite(folder_url, key, lambda table: table.replace_schema_metadata(None))
    assert migrated(run)["tables_rewritten"] == COUNTS["tables_rewritten"] + 1
    schema = pq.read_schema(Path(folder_url) / key)
    assert (schema.metadata or {})[b"recall_pipeline.schema_version"] == b"1"


def test_a_table_that_is_unreadable_or_newer_is_named_and_the_others_are_migrated(run: Run, folder_url: str) -> None:
    (Path(folder_url) / CATALOG_KEY).write_bytes(b"not Parquet")
    rewrite(folder_url, RECORDINGS.key(LAST), lambda table: with_version(table, "99"))
    before = stored(folder_url)
    result = run("migrate", "--json")
    unreadable, newer = result.err.splitlines()
    assert result.status == 1
    assert unreadable.startswith(f"{FIRST}: ")
    assert "audio_catalog.parquet is not a readable Parquet file" in unreadable
    assert newer.startswith(f"{LAST}: ")
    assert "recordings.parquet has schema version 99" in newer
    assert json.loads(result.out)["tables_rewritten"] == 2
    after = stored(folder_url)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {RECORDINGS.key(FIRST), CATALOG.key(LAST)}


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("file:///somewhere/else.flac", None),
        ("file:///old/normalized_audio/day=2026-11-28/a/../../../../etc/passwd", None),
        ("file:///old/normalized_audio/day=2026-11-28/a/b.flac", "../../etc/passwd"),
        ("file:///old/normalized_audio/day=2026-11-28/a/b.flac", "normalized_audio/day=2026-11-28/a/c.flac"),
    ],
)
def test_what_is_not_a_place_of_the_archive_is_left_to_verify(
    uri: str, key: str | None, run: Run, folder_url: str
) -> None:
    def damaged(table: pa.Table) -> pa.Table:
        return table.set_column(
            table.schema.get_field_index("audio_uri"), "audio_uri", pa.array([uri] * len(table))
        ).append_column("audio_key", pa.array([key] * len(table), pa.string()))

    rewrite(folder_url, CATALOG_KEY, damaged)
    migrated(run)
    content = pq.ParquetFile(Path(folder_url) / CATALOG_KEY).read()
    assert (set(content["audio_uri"].to_pylist()), set(content["audio_key"].to_pylist())) == ({uri}, {key})


def test_an_interruption_at_any_write_ends_like_a_run_without_one(
    folder_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, publish = open_archive(Settings(storage_url=folder_url)), Archive.publish
    for number in range(2 * COUNTS["tables_rewritten"]):

        def killed(self: Archive, local: Path, key: str, *, is_published: bool = number % 2 == 1) -> None:
            if is_published:
                publish(self, local, key)
            raise KeyboardInterrupt

        monkeypatch.setattr(Archive, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            migrate_archive(archive, no_step_progress)
    assert not archive.staging_folder.exists()
    monkeypatch.setattr(Archive, "publish", publish)
    assert migrate_archive(archive, no_step_progress).already_current == CURRENT["already_current"]
    assert hashes_of_others(stored(folder_url)) == hashes_of_others(stored(str(STORED)))


def hashes_of_others(files: dict[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file that a migration does not write."""
    written = {table.key(day) for table in (RECORDINGS, CATALOG) for day in (FIRST, LAST)}
    return {key: hashlib.sha256(content).hexdigest() for key, content in files.items() if key not in written}


def test_a_day_is_migrated_under_its_lock(folder_url: str, caplog: pytest.LogCaptureFixture) -> None:
    archive = open_archive(Settings(storage_url=folder_url))
    other = threading.Thread(target=migrate_archive, args=(archive, no_step_progress))
    with archive.lock_day(FIRST):
        other.start()
        while not any("waiting for the lock" in record.getMessage() for record in caplog.records):
            assert other.is_alive()
        assert CATALOG.read_columns(archive, FIRST, "source_key")[0] == (None,)
    other.join()
    assert any(key for (key,) in CATALOG.read_columns(archive, FIRST, "source_key"))


def test_the_transcripts_have_the_version_of_their_own_declaration() -> None:
    assert TRANSCRIPT_KEYS.version == TRANSCRIPTS.version


class TestIdentity:
    @pytest.mark.parametrize(("region", "api"), [(None, None), ("eu-central-1", "eu-central-1.recall.ai")])
    def test_a_missing_file_names_the_api_that_the_settings_name(
        self, region: str | None, api: str | None, run: Run, folder_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if region:
            monkeypatch.setenv("RECALL_REGION", region)
        migrated(run)
        identity = json.loads((Path(folder_url) / "archive.json").read_text())
        assert (identity["format"], identity["api"]) == (1, api)
        assert (Path(folder_url) / "README.txt").exists()

    def test_the_next_sync_completes_it(self, run: Run, folder_url: str) -> None:
        migrated(run)
        settings = Settings(storage_url=folder_url, region="eu-central-1")
        record_identity(open_archive(settings), settings)
        assert json.loads((Path(folder_url) / "archive.json").read_text())["api"] == "eu-central-1.recall.ai"

    def test_a_folder_without_a_day_does_not_become_an_archive(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "empty"))
        assert "holds no day" in run("migrate").out
        assert not (tmp_path / "empty").exists()


class TestBothStorages:
    @pytest.fixture(params=["folder_url", BUCKET_COPY])
    def storage_url(self, request: pytest.FixtureRequest) -> str:
        return str(request.getfixturevalue(request.param))

    def test_an_archive_is_migrated_wherever_it_is(self, run: Run, storage_url: str, archive: Archive) -> None:
        assert migrated(run) == COUNTS
        before = stored(storage_url)
        assert migrated(run) == CURRENT
        assert stored(storage_url) == before
        uris = [uri for (uri,) in CATALOG.read_columns(archive, FIRST, "audio_uri") if uri]
        assert uris
        for uri in uris:
            assert uri == archive.uri(Layout.key_in(uri))
            with fsspec.open(uri) as file:
                assert file.read(4) == b"fLaC"


@pytest.mark.xdist_group("s3")
def test_a_move_to_a_bucket_and_back_changes_nothing_but_uris(
    run: Run, folder_url: str, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of docs/moving.md."""
    migrated(run)
    before, filesystem = stored(folder_url), fsspec.filesystem("s3", use_listings_cache=False)
    monkeypatch.setenv("RECALL_STORAGE_URL", bucket_url)
    filesystem.put(f"{folder_url}/", bucket_url.removeprefix("s3://"), recursive=True)
    assert codes_of_verify(run) == {"uri_elsewhere"}
    assert migrated(run) == {**CURRENT, "tables_rewritten": 2, "uris_rewritten": 18, "already_current": 10}
    assert codes_of_verify(run) == set()
    shutil.rmtree(folder_url)
    filesystem.get(f"{bucket_url.removeprefix('s3://')}/", folder_url, recursive=True)
    monkeypatch.setenv("RECALL_STORAGE_URL", folder_url)
    assert migrated(run)["uris_rewritten"] == 18
    assert stored(folder_url) == before


def codes_of_verify(run: Run) -> set[str]:
    return {problem["code"] for problem in json.loads(run("verify", "--json").out)["problems"]}
