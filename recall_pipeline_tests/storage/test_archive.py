"""Files are published whole or not at all, private, without leftovers (docs/design/interface.md, section 3)."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import fsspec
import pytest

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveLocation, open_archive
from recall_pipeline.storage.permissions import private_folder
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET

DAY = date(2026, 3, 2)
KEY = "mixed_audio/day=2026-03-02/recording/audio.mp3"


@pytest.fixture(params=FOLDER_AND_BUCKET)
def either(request: pytest.FixtureRequest) -> Archive:
    """An archive of each kind."""
    return open_archive(Settings(storage_url=request.getfixturevalue(request.param)))


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than the system's temporary one."""
    shared_memory = Path("/dev/shm")  # noqa: S108
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("this machine has one file system only")
    with tempfile.TemporaryDirectory(dir=shared_memory) as folder:
        yield Path(folder)


def publish(archive: Archive, content: bytes = b"sound", key: str = KEY) -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, key)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def killed(code: str, *arguments: object) -> None:
    """Run Python code that is to be killed by itself on the way."""
    command = [sys.executable, "-c", f"import os, signal, sys\n{code}", *map(str, arguments)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL  # noqa: S603


class TestReading:
    def test_a_published_file_can_be_read(self, either: Archive) -> None:
        publish(either, b"sound")
        assert either.exists(KEY)
        assert either.size_bytes(KEY) == 5
        assert either.read(KEY) == b"sound"
        with either.local_copy(KEY) as local:
            assert local.read_bytes() == b"sound"

    def test_an_unpublished_key_does_not_exist(self, either: Archive) -> None:
        assert not either.exists(KEY)
        assert either.size_bytes(KEY) is None
        assert either.read(KEY) is None

    def test_fsspec_opens_a_uri(self, either: Archive) -> None:
        publish(either, b"sound")
        with fsspec.open(either.uri(KEY), "rb") as file:
            assert file.read() == b"sound"

    def test_fsspec_opens_a_local_uri_in_any_folder(self, tmp_path: Path) -> None:
        archive = open_archive(Settings(storage_url=str(tmp_path / "Büro & co # 1%20")))
        publish(archive, b"sound")
        with fsspec.open(archive.uri(KEY), "rb") as file:
            assert file.read() == b"sound"

    def test_the_days_of_a_table_are_its_partitions_in_order(self, either: Archive) -> None:
        for name in ("day=2026-03-02", "day=2026-02-28", "day=soon", "notes"):
            publish(either, key=f"bots/{name}/bots.parquet")
        assert either.days("bots") == [date(2026, 2, 28), DAY]
        assert either.days("recordings") == []


class TestPublishing:
    def test_nothing_is_visible_under_the_final_name_before_it_is_published(self, either: Archive) -> None:
        with either.staged_file() as written:
            written.write_bytes(b"half a")
            assert not either.exists(KEY)

    def test_an_unpublished_file_is_removed(self, archive: Archive) -> None:
        with archive.staged_file() as written:
            written.write_bytes(b"sound")
        archive.close_staging_folder()
        assert files_below(archive.local_path("")) == []
        assert not archive.staging_folder.exists()

    def test_the_group_may_read_published_files_if_set_but_never_the_staging_folder(self, tmp_path: Path) -> None:
        archive = open_archive(Settings(storage_url=str(tmp_path / "data"), group_may_read=True))
        with archive.staged_file() as written:
            written.write_bytes(b"sound")
            spool_mode = mode_of(archive.staging_folder)
            archive.publish(written, KEY)
        published = archive.local_path(KEY)
        assert mode_of(published) == 0o640
        root = archive.local_path("")
        assert {mode_of(folder) for folder in published.parents if folder.is_relative_to(root)} == {0o750}
        assert spool_mode == 0o700

    def test_publishing_moves_the_local_file(self, either: Archive) -> None:
        received = either.open_staging_folder() / "audio.part"
        received.write_bytes(b"sound")
        either.publish(received, KEY)
        assert not received.exists()
        assert either.read(KEY) == b"sound"

    def test_publishing_again_replaces_the_whole_file(self, either: Archive) -> None:
        publish(either, b"a long sound")
        publish(either, b"short")
        assert either.read(KEY) == b"short"

    def test_files_and_folders_are_private_to_this_user(self, archive: Archive) -> None:
        publish(archive)
        published = archive.local_path(KEY)
        assert mode_of(published) == 0o600
        root = archive.local_path("")
        assert {mode_of(folder) for folder in published.parents if folder.is_relative_to(root)} == {0o700}
        with archive.staged_file() as written:
            assert mode_of(written) == 0o600
            assert mode_of(archive.staging_folder) == 0o700

    def test_a_process_killed_before_the_rename_publishes_nothing(self, archive: Archive) -> None:
        publish(archive, b"before")
        killed(
            "from pathlib import Path\n"
            "from recall_pipeline.storage import ArchiveLocation\n"
            "archive = ArchiveLocation(sys.argv[1], Path(sys.argv[2])).open()\n"
            "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "with archive.staged_file() as written:\n"
            "    written.write_bytes(b'half')\n"
            "    archive.publish(written, sys.argv[3])\n",
            archive.location.root,
            archive.staging_folder,
            KEY,
        )
        assert archive.read(KEY) == b"before"
        assert [path for path in files_below(archive.local_path("")) if archive.staging_folder not in path.parents] == [
            archive.local_path(KEY)
        ]

    def test_the_next_run_removes_the_leftovers_of_a_killed_process(self, archive: Archive) -> None:
        killed(
            "from pathlib import Path\n"
            "from recall_pipeline.storage import ArchiveLocation\n"
            "with ArchiveLocation(sys.argv[1], Path(sys.argv[2])).open().staged_file() as written:\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n",
            archive.location.root,
            archive.staging_folder,
        )
        assert [path.name for path in files_below(archive.staging_folder)] == [".lock", "file"]
        assert list(archive.leftover_files().values()) == [0]
        with archive.staged_file() as in_use, archive.lock_day(DAY):
            left = [path for path in files_below(archive.staging_folder) if path.name != ".lock"]
            assert left == [archive.staging_folder / f"day-{DAY}.lock", in_use]
        archive.close_staging_folder()
        assert not archive.staging_folder.exists()

    def test_a_run_removes_the_leftovers_of_its_killed_workers(self, archive: Archive) -> None:
        with archive.lock_day(DAY):
            killed(
                "from pathlib import Path\n"
                "from recall_pipeline.storage import ArchiveLocation\n"
                "with ArchiveLocation(sys.argv[1], Path(sys.argv[2])).open().staged_file() as written:\n"
                "    os.kill(os.getpid(), signal.SIGKILL)\n",
                archive.location.root,
                archive.staging_folder,
            )
        assert not archive.staging_folder.exists()


class TestAcrossDisks:
    @pytest.fixture
    def archive(self, tmp_path: Path, other_disk: Path) -> Archive:
        """An archive whose spool is on another file system."""
        return open_archive(Settings(storage_url=str(tmp_path / "data"), spool_dir=other_disk / "spool"))

    def test_a_file_is_published_complete_and_private_without_a_second_copy(self, archive: Archive) -> None:
        publish(archive, b"sound")
        assert files_below(archive.local_path("")) == [archive.local_path(KEY)]
        assert archive.read(KEY) == b"sound"
        assert mode_of(archive.local_path(KEY)) == 0o600
        assert files_below(archive.staging_folder) == []

    def test_a_process_killed_during_the_copy_publishes_nothing_and_the_next_one_cleans_up(
        self, archive: Archive
    ) -> None:
        killed(
            "from pathlib import Path\n"
            "from recall_pipeline.storage import ArchiveLocation\n"
            "archive = ArchiveLocation(sys.argv[1], Path(sys.argv[2])).open()\n"
            "os.replace = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
            "rename = Path.replace\n"
            "def replace(path, target):\n"
            "    if path.name.startswith('.'):\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    raise OSError(18, 'another disk')\n"
            "Path.replace = replace\n"
            "with archive.staged_file() as written:\n"
            "    written.write_bytes(b'sound')\n"
            "    archive.publish(written, sys.argv[3])\n",
            archive.location.root,
            archive.staging_folder,
            KEY,
        )
        (hidden,) = files_below(archive.local_path(""))
        assert hidden.name.startswith(".audio.mp3.")
        assert not archive.exists(KEY)
        publish(archive, b"sound")
        assert files_below(archive.local_path("")) == [archive.local_path(KEY)]

    def test_a_full_disk_is_reported_and_leaves_no_file(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("shutil.copyfile", full)
        with pytest.raises(StorageError, match=r"No space left on device\. Free some space"):
            publish(archive)
        assert files_below(archive.local_path("")) == []


class TestRemoving:
    def test_removing_a_file_also_removes_its_empty_folder(self, archive: Archive) -> None:
        publish(archive)
        archive.remove(KEY)
        assert not archive.local_path(KEY).parent.exists()

    def test_a_folder_with_other_files_is_kept(self, either: Archive) -> None:
        other = KEY.replace("audio.mp3", "other.mp3")
        publish(either)
        publish(either, key=other)
        either.remove(KEY)
        assert not either.exists(KEY)
        assert either.exists(other)

    def test_removing_a_missing_file_is_not_an_error(self, either: Archive) -> None:
        either.remove(KEY)


class TestStagingFolder:
    def test_it_is_in_the_archive_if_that_is_local(self, tmp_path: Path) -> None:
        assert (
            ArchiveLocation.from_settings(Settings(storage_url=str(tmp_path / "data"))).staging_folder
            == tmp_path / "data/_spool"
        )

    def test_each_remote_archive_has_its_own_in_the_systems_temporary_folder(self) -> None:
        one, other = (
            ArchiveLocation.from_settings(Settings(storage_url=f"s3://bucket/{name}")).staging_folder
            for name in ("a", "b")
        )
        assert Path(tempfile.gettempdir()) in one.parents
        assert one != other

    def test_it_is_where_the_settings_state(self, tmp_path: Path) -> None:
        settings = Settings(storage_url="s3://bucket/prefix", spool_dir=tmp_path / "fast")
        assert ArchiveLocation.from_settings(settings).staging_folder == tmp_path / "fast"

    def test_it_is_not_removed_while_it_has_files(self, archive: Archive) -> None:
        (archive.open_staging_folder() / "audio.part").touch()
        archive.close_staging_folder()
        assert archive.staging_folder.is_dir()


class TestLock:
    OPEN = (
        "import os, signal, sys\n"
        "from datetime import date\n"
        "from pathlib import Path\n"
        "from recall_pipeline.storage import ArchiveLocation\n"
        "archive = ArchiveLocation(sys.argv[1], Path(sys.argv[2])).open()\n"
    )

    def start(self, archive: Archive, code: str, *arguments: object) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", self.OPEN + code, archive.location.root, str(archive.staging_folder)]
        return subprocess.Popen([*command, *map(str, arguments)])  # noqa: S603

    def test_processes_never_hold_a_day_at_the_same_time(self, archive: Archive, tmp_path: Path) -> None:
        diary = tmp_path / "diary"
        comes_and_goes = (
            "for _ in range(30):\n"
            "    with archive.lock_day(date(2026, 3, 2)), open(sys.argv[3], 'a', buffering=1) as diary:\n"
            "        print('in', os.getpid(), file=diary)\n"
            "        print('out', os.getpid(), file=diary)\n"
        )
        processes = [self.start(archive, comes_and_goes, diary) for _ in range(3)]
        assert [process.wait() for process in processes] == [0, 0, 0]
        lines = diary.read_text().splitlines()
        visits = list(zip(lines[::2], lines[1::2], strict=True))
        assert len(visits) == 90
        assert [(came, went) for came, went in visits if f"out {came.removeprefix('in ')}" != went] == []
        assert not archive.staging_folder.exists()

    @pytest.mark.parametrize("seen", [FileExistsError, FileNotFoundError])
    def test_a_staging_folder_that_another_process_removes_is_created_again(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch, seen: type[OSError]
    ) -> None:
        private_folder(archive.staging_folder.parent)
        make, raced = Path.mkdir, iter([True])

        def mkdir(folder: Path, mode: int) -> None:
            if next(raced, False):
                raise seen(folder)
            make(folder, mode)

        monkeypatch.setattr(Path, "mkdir", mkdir)
        with archive.lock_day(DAY):
            assert archive.staging_folder.is_dir()

    def test_a_symbolic_link_instead_of_a_lock_file_is_not_followed(self, archive: Archive, tmp_path: Path) -> None:
        (archive.open_staging_folder() / f"day-{DAY}.lock").symlink_to(tmp_path / "nowhere" / "victim")
        with pytest.raises(StorageError, match="cannot lock"), archive.lock_day(DAY):
            pass

    def test_another_day_can_be_locked_at_the_same_time(self, archive: Archive) -> None:
        with archive.lock_day(DAY):
            other = self.start(archive, "with archive.lock_day(date(2026, 3, 3)):\n    pass\n")
            assert other.wait(timeout=60) == 0

    def test_it_ends_with_its_process(self, archive: Archive) -> None:
        dies = "with archive.lock_day(date(2026, 3, 2)):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        assert self.start(archive, dies).wait() == -signal.SIGKILL
        with archive.lock_day(DAY):
            assert mode_of(archive.staging_folder / "day-2026-03-02.lock") == 0o600
        assert not archive.staging_folder.exists()

    def test_it_is_released_after_an_exception(self, archive: Archive) -> None:
        with pytest.raises(ZeroDivisionError), archive.lock_day(DAY):
            raise ZeroDivisionError
        with archive.lock_day(DAY):
            pass


class TestFaults:
    @pytest.fixture
    def below_a_file(self, tmp_path: Path) -> Archive:
        """An archive that cannot be."""
        (tmp_path / "file").touch()
        return open_archive(Settings(storage_url=str(tmp_path / "file" / "data")))

    def test_a_path_below_a_file_is_one_clear_line(self, below_a_file: Archive) -> None:
        with pytest.raises(StorageError) as raised:
            publish(below_a_file)
        assert "\n" not in str(raised.value)
        assert "Not a directory. Check RECALL_STORAGE_URL, RECALL_SPOOL_DIR and their permissions" in str(raised.value)
        assert below_a_file.location.root in str(raised.value)

    def test_a_lock_below_a_file_is_one_clear_line(self, below_a_file: Archive) -> None:
        with pytest.raises(StorageError, match="Not a directory"), below_a_file.lock_day(DAY):
            pass

    def test_reading_below_a_file_is_one_clear_line(self, below_a_file: Archive) -> None:
        with pytest.raises(StorageError, match=r"cannot list bots below .*Not a directory"):
            below_a_file.days("bots")
        with pytest.raises(StorageError, match=r"cannot read bots/x below .*Not a directory"):
            below_a_file.read("bots/x")

    def test_a_permanent_error_is_not_retried(self, below_a_file: Archive) -> None:
        with pytest.raises(StorageError) as raised:
            publish(below_a_file)
        assert not raised.value.retry_can_help

    def test_a_full_disk_may_be_retried(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="Free some space") as raised:
            publish(archive)
        assert raised.value.retry_can_help

    def test_an_error_of_the_caller_is_not_translated(self, archive: Archive) -> None:
        with pytest.raises(ZeroDivisionError), archive.staged_file():
            raise ZeroDivisionError

    def test_a_store_whose_package_is_missing_is_one_clear_line(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match=r"RECALL_STORAGE_URL gs://bucket: .*gcsfs"):
            ArchiveLocation("gs://bucket", tmp_path).open()


def test_a_staged_file_that_was_replaced_is_not_removed_by_another_run(archive: Archive) -> None:
    with archive.staged_file(suffix=".flac") as path:
        replacement = path.with_name("written beside it, as encoders do")
        replacement.write_bytes(b"sound")
        replacement.replace(path)
        with archive.lock_day(date(2026, 3, 2)):
            assert path.read_bytes() == b"sound"
        archive.publish(path, "normalized_audio/x.flac")
    assert archive.read("normalized_audio/x.flac") == b"sound"
