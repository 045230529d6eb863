"""Folders that are shares (SMB, FUSE, NFS): what the file system refuses is an error only where it is required."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.storage.file_system import report_missing_locks, weaknesses_of

DAY = date(2026, 3, 2)
KEY = "mixed_audio/day=2026-03-02/recording/audio.mp3"
REFUSALS = [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EACCES]
pytestmark = pytest.mark.on_disk


def refuse(code: int) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return refused


def publish(archive: Archive, content: bytes = b"sound") -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, KEY)


@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.chmod", "os.chmod"])
@pytest.mark.parametrize("group_may_read", [False, True])
def test_a_share_that_refuses_a_call_archives_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str, group_may_read: bool
) -> None:
    monkeypatch.setattr(call, refuse(code))
    archive = open_archive(Settings(storage_url=str(tmp_path / "share"), group_may_read=group_may_read))
    with archive.lock_day(DAY):
        publish(archive)
    assert archive.read(KEY) == b"sound"
    assert not archive.staging_folder.exists()


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_to_sync_is_an_error(archive: Archive, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr("os.fsync", refuse(code))
    with pytest.raises(StorageError, match=os.strerror(code)):
        publish(archive)


class TestWithoutLocks:
    @pytest.fixture(autouse=True)
    def reported_anew(self) -> None:
        report_missing_locks.cache_clear()

    @pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
    def test_files_are_archived_and_one_line_states_what_is_missing(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
    ) -> None:
        monkeypatch.setattr("fcntl.flock", refuse(code))
        for _ in range(2):
            with archive.lock_day(DAY):
                publish(archive)
        assert archive.read(KEY) == b"sound"
        [line] = [record.getMessage() for record in caplog.records]
        assert "has no file locks" in line
        assert "set RECALL_SPOOL_DIR to a local disk" in line

    def test_processes_of_this_host_still_take_turns(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Only the share refuses: the lock is then in this user's temporary folder."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        (tmp_path / "tmp").mkdir()
        lock = fcntl.flock

        def flock(handle: int, operation: int) -> None:
            if str(archive.staging_folder) in str(Path(f"/proc/self/fd/{handle}").readlink()):
                raise OSError(errno.ENOLCK, "No locks available")
            lock(handle, operation)

        monkeypatch.setattr("fcntl.flock", flock)
        held, entered = threading.Event(), threading.Event()

        def second() -> None:
            held.wait()
            with archive.lock_day(DAY):
                entered.set()

        other = threading.Thread(target=second)
        other.start()
        with archive.lock_day(DAY):
            held.set()
            assert not entered.wait(0.2)
        other.join()
        assert entered.is_set()

    def test_leftovers_are_those_of_processes_that_ended(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fcntl.flock", refuse(errno.ENOLCK))
        with archive.staged_file() as in_use:
            folder = in_use.parent
            ended = subprocess.Popen([sys.executable, "-c", ""])
            ended.wait()
            left = folder.with_name(folder.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
            left.mkdir()
            with archive.lock_day(DAY):
                assert in_use.exists()
                assert not left.exists()


class TestSeveralHosts:
    def test_temporary_files_of_another_host_are_left_alone_for_a_week(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("socket.gethostname", lambda: "another-host")
            with archive.staged_file() as in_use:
                kept = in_use.parent.with_name(f"{in_use.parent.name}-copy")
                kept.mkdir()
        with archive.lock_day(DAY):
            assert kept.exists()
        os.utime(kept, (0, 0))
        with archive.lock_day(DAY):
            assert not kept.exists()

    def test_locks_are_on_files_only(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        """NFS refuses an exclusive lock on a folder, and on a file that is open for reading only."""
        lock, locked = fcntl.flock, []

        def flock(handle: int, operation: int) -> None:
            path = Path(f"/proc/self/fd/{handle}").readlink()
            assert path.is_file(), path
            assert fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
            locked.append(path.name)
            lock(handle, operation)

        monkeypatch.setattr("fcntl.flock", flock)
        with archive.lock_day(DAY):
            publish(archive)
            assert archive.leftover_files() == {}
        assert {f"day-{DAY}.lock", ".lock"} <= set(locked)


class TestWaiting:
    HOLD = (
        "import sys\n"
        "from datetime import date\n"
        "from pathlib import Path\n"
        "from recall_pipeline.storage import ArchiveLocation\n"
        "sys.argv[1:1] = ['sync', '--reason', 'Private Words']\n"
        "archive = ArchiveLocation(sys.argv[-2], Path(sys.argv[-1])).open()\n"
        "with archive.lock_day(date(2026, 3, 2)):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )

    def test_a_process_that_waits_for_a_lock_states_which_process_holds_it(
        self, archive: Archive, caplog: pytest.LogCaptureFixture
    ) -> None:
        holder = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", self.HOLD, archive.location.root, str(archive.staging_folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        ended = threading.Timer(0.2, holder.communicate)
        ended.start()
        with archive.lock_day(DAY):
            ended.join()
        [line] = [record.getMessage() for record in caplog.records]
        assert f"waiting for the lock {archive.staging_folder / f'day-{DAY}.lock'}: process {holder.pid} on " in line
        assert " sync) since 20" in line
        assert "Private" not in line


def test_the_weaknesses_of_a_share_are_found_by_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weaknesses_of(tmp_path) == []
    for call, code in (("os.fsync", errno.EINVAL), ("pathlib.Path.chmod", errno.EPERM), ("fcntl.flock", errno.ENOLCK)):
        monkeypatch.setattr(call, refuse(code))
    assert len(weaknesses_of(tmp_path)) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_share_that_ignores_permissions_is_weak_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with monkeypatch.context() as permissive:
        permissive.setattr("recall_pipeline.storage.file_system._PRIVATE_MODE", 0o640)  # of a new file: 0o600
        assert len(weaknesses_of(tmp_path)) == 1


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_two_stores_with_the_same_bucket_have_their_own_staging_folders(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    folders = set()
    for endpoint in ("", "https://one.example.com", "https://two.example.com"):
        monkeypatch.setenv(variable, endpoint)
        folders.add(open_archive(Settings(storage_url="s3://bucket/prefix")).staging_folder)
    assert len(folders) == 3
