"""An archive of two days, migrated once per session; each kind of damage is done to a copy."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audio import Done
from recall_pipeline.catalog import CATALOG
from recall_pipeline.migration import migrate_archive
from recall_pipeline.progress import no_step_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, Table, open_archive
from recall_pipeline.verification import Code, open_to_verify, verify_archive
from recall_pipeline.verification.file_check import FileCheck
from recall_pipeline_tests.golden.conftest import STORED
from recall_pipeline_tests.golden.world import FIRST, LAST, recording_ids

(PLAIN,), (SILENT,) = recording_ids("plain"), recording_ids("nobody-spoke")
Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Copy:
    """An archive to damage. `mp3`, `flac`: the files of its first recording."""

    root: Path

    @property
    def archive(self) -> Archive:
        return open_archive(self.settings)

    @property
    def settings(self) -> Settings:
        return Settings(storage_url=str(self.root), start_date=FIRST - timedelta(days=7), workers="1")

    @property
    def mp3(self) -> Path:
        return self.files("mixed_audio")[0]

    @property
    def flac(self) -> Path:
        return self.files("normalized_audio")[0]

    def files(self, folder: str, recording_id: str = PLAIN) -> list[Path]:
        return sorted((self.root / folder / f"day={FIRST}" / recording_id).iterdir())

    def table(self, table: Table[Any], day: Any = FIRST) -> Path:
        return self.root / table.key(day)

    def change(self, table: Table[Any], change: Change) -> None:
        """Replace a table by what `change` makes of it, with the metadata of the file."""
        path = self.table(table)
        before = pq.ParquetFile(path).read()
        pq.write_table(change(before), path)

    def put(self, table: Table[Any], name: str, value: Any, recording_id: str = PLAIN) -> None:
        """Replace a value in the row of a recording."""

        def replaced(content: pa.Table) -> pa.Table:
            number, kind = content.schema.get_field_index(name), content.schema.field(name)
            rows = zip(content["recording_id"].to_pylist(), content[name].to_pylist(), strict=True)
            values = [value if row_id == recording_id else before for row_id, before in rows]
            return content.set_column(number, kind, pa.array(values, kind.type))

        self.change(table, replaced)

    def drop(self, table: Table[Any], recording_id: str = PLAIN) -> None:
        """Remove the rows of a recording."""
        self.change(table, lambda content: content.filter(pc.field("recording_id") != recording_id))

    def codes(self) -> set[Code]:
        """The codes of all problems that a verification finds."""
        archive, fault = open_to_verify(self.settings)
        report = verify_archive(archive, self.settings, no_step_progress)
        strange = {Code.NAME_UNEXPECTED for _ in report.strange_names}
        of_archive = {Code.ARCHIVE_UNREADABLE} if fault else set()
        return {problem.code for problem in report.problems} | strange | of_archive


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check files without worker processes, which take longer to start than the files to read."""

    def run(check: Callable[[FileCheck], Any], files: Sequence[FileCheck], **_: Any) -> Iterator[Done[FileCheck, Any]]:
        return (Done(file, check(file), None) for file in files)

    monkeypatch.setattr("recall_pipeline.verification.day_verification.run_tasks", run)


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that is copied."""
    folder = shutil.copytree(STORED, tmp_path_factory.mktemp("intact") / "archive")
    migrate_archive(open_archive(Settings(storage_url=str(folder))), no_step_progress)
    return folder


@pytest.fixture
def copy(intact: Path, tmp_path: Path) -> Copy:
    """A copy in a new place, with URIs of that place."""
    copied = Copy(shutil.copytree(intact, tmp_path / "archive"))
    migrate_archive(copied.archive, no_step_progress)
    return copied


__all__ = ["CATALOG", "FIRST", "LAST", "PLAIN", "SILENT", "Copy", "Layout"]
