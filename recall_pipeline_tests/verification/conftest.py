"""An archive with a few recordings of one day, synced once; each test gets a copy."""

import shutil
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.verification import Kind, VerificationReport, stored_days, verify_days
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox import Sandbox, World
from recall_sandbox.content import ErrorPage

STANDUP, REVIEW, PAGE = (an_id(name) for name in ("standup", "review", "page"))


class Copy:
    """An archive to damage: `standup` has an older version, `review` has none, `page` is corrupt."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self.settings = settings

    def verify(self) -> VerificationReport:
        """Verify the whole archive."""
        return verify_days(self.archive, self.settings, stored_days(self.archive), lambda *_: None)

    def found(self) -> set[tuple[Kind, str]]:
        """Kind and subject of every problem that a verification finds."""
        return {(problem.kind, problem.subject) for problem in self.verify().problems}

    def mp3(self, recording_id: str) -> MixedAudioRow:
        """The row of a recording's MP3."""
        rows = MIXED_AUDIO.read(self.archive, DAY) or []
        return next(row for row in rows if row.recording_id == recording_id)

    def source(self, recording_id: str) -> str:
        """The key of a recording's MP3."""
        return self.mp3(recording_id).source_key or ""

    def normalized(self, recording_id: str) -> str:
        """The key of a recording's normalized file."""
        folder = f"normalized_audio/day={DAY}/{recording_id}"
        [key] = self.archive.sizes_below(folder)
        return key

    def path(self, key: str) -> Path:
        """The file of a key."""
        return self.archive.local_path(key)

    def put(self, key: str, content: bytes) -> str:
        """Write a file without changing the tables; return its key."""
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        self.path(key).write_bytes(content)
        return key

    def damage(self, key: str) -> str:
        """Change the last bytes of a file; return its key."""
        return self.put(key, self.path(key).read_bytes()[:-4] + b"rot!")


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the archive that is copied."""
    folder = tmp_path_factory.mktemp("synced")
    with (
        pytest.MonkeyPatch.context() as patched,
        stamina.set_testing(True, attempts=5),
        Sandbox(World(), list_per_minute=None, object_per_minute=None).running() as sandbox,
    ):
        patched.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("home")))
        settings = Settings(api_key=SecretStr(sandbox.api_key), api_url=sandbox.api_url, storage_url=str(folder))
        workspace = Workspace(sandbox, settings)
        [standup] = workspace.meet("standup", talk())
        workspace.meet("review", talk(1))
        workspace.meet("page", ErrorPage())
        workspace.sync()
        workspace.world.replace_audio(standup.id, talk(2))
        workspace.sync()
    return folder


@pytest.fixture
def copy(synced: Path, tmp_path: Path) -> Copy:
    """A copy of the archive."""
    shutil.copytree(synced, tmp_path / "data")
    settings = Settings(storage_url=str(tmp_path / "data"), workers="1")
    return Copy(open_archive(settings), settings)
