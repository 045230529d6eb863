"""The spool of an archive elsewhere lies in a folder that is this user's alone."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveLocation


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The name that this user's folder has in the system's temporary one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"recall_pipeline-{os.getuid()}"


def archive_elsewhere() -> Archive:
    return ArchiveLocation.from_settings(Settings(storage_url="s3://bucket/prefix")).open()


def modes(*paths: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in paths}


def test_it_is_created_for_this_user_only(shared: Path) -> None:
    opened = archive_elsewhere().open_staging_folder()
    assert opened.parent == shared
    assert modes(opened, shared) == {0o700}


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o770])
def test_a_folder_that_other_users_can_access_is_refused_in_one_line(shared: Path, mode: int) -> None:
    shared.mkdir()
    shared.chmod(mode)
    with pytest.raises(StorageError, match="Remove it, or set RECALL_SPOOL_DIR") as raised:
        archive_elsewhere().open_staging_folder()
    assert str(shared) in str(raised.value)
    assert not raised.value.retry_can_help
    assert list(shared.iterdir()) == []


def test_a_symbolic_link_is_refused(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir(mode=0o700)
    shared.symlink_to(tmp_path / "trap")
    with pytest.raises(StorageError, match="other users can read or write it"):
        archive_elsewhere().open_staging_folder()
    assert list((tmp_path / "trap").iterdir()) == []


def test_the_folder_of_another_user_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = os.getuid() + 1
    shared.with_name(f"recall_pipeline-{another}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: another)
    with pytest.raises(StorageError, match="other users can read or write it"):
        archive_elsewhere().open_staging_folder()


def test_a_folder_that_another_process_removes_is_created_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_staging_folder, times = archive.open_staging_folder, iter([1])

    def taken_away_once() -> Path:
        opened = open_staging_folder()
        if next(times, None):
            opened.rmdir()
        return opened

    monkeypatch.setattr(archive, "open_staging_folder", taken_away_once)
    with archive.staged_file() as path:
        assert path.exists()


def test_files_are_private_with_any_umask(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from datetime import date\n"
        "from pathlib import Path\n"
        "os.umask(0)\n"
        "from recall_pipeline.download.partials import Partial\n"
        "from recall_pipeline.discovery import BOTS\n"
        "from recall_pipeline.recall_api.rate_limit import RequestBudget\n"
        "from recall_pipeline.storage import ArchiveLocation\n"
        "root = Path(sys.argv[1])\n"
        "archive = ArchiveLocation(str(root / 'a' / 'data'), root / 'b' / 'spool').open()\n"
        "RequestBudget(root / 'home' / 'recall_budget.sqlite')\n"
        "with archive.lock_day(date(2026, 3, 2)):\n"
        "    BOTS.write(archive, date(2026, 3, 2), [])\n"
        "    Partial.of(archive.staging_folder, 'some').start(None)\n"
        "    print(*[f'{path.stat().st_mode:o}' for path in root.rglob('*')])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)  # noqa: S603
    assert set(ran.stdout.split()) == {"40700", "100600"}
