"""Many small files at once, in a folder and on S3 alike."""

from pathlib import Path

import pytest

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored_keys


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    """Both kinds of storage."""
    url: str = request.getfixturevalue(request.param)
    return url


def publish(archive: Archive, key: str, content: bytes = b"small") -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, key)


def test_names_are_the_direct_children_of_the_folder(archive: Archive) -> None:
    for key in ("box/b", "box/a", "box/deeper/c", "other/d"):
        publish(archive, key)
    assert archive.names("box") == ["a", "b", "deeper"]
    assert archive.names("absent") == []


def test_sizes_cover_every_file_at_any_depth(archive: Archive) -> None:
    publish(archive, "box/a", b"123")
    publish(archive, "box/deeper/c", b"12345")
    publish(archive, "boxes/d")
    assert archive.sizes_below("box") == {"box/a": 3, "box/deeper/c": 5}
    assert archive.sizes_below("absent") == {}


def test_an_unreadable_folder_is_not_treated_as_empty(folder_url: str) -> None:
    on_disk = open_archive(Settings(storage_url=folder_url))
    publish(on_disk, "box")
    with pytest.raises(StorageError, match="cannot list box"):
        on_disk.sizes_below("box")
    with pytest.raises(StorageError, match="cannot read box/within a file"):
        on_disk.read_many(["box/within a file"])


def test_reading_many_files_leaves_out_missing_ones(archive: Archive) -> None:
    publish(archive, "box/a", b"first")
    publish(archive, "box/b", b"second")
    assert archive.read_many(["box/a", "box/gone", "box/b"]) == {"box/a": b"first", "box/b": b"second"}
    assert archive.read_many([]) == {}


def test_a_moved_file_has_its_new_name_only(archive: Archive) -> None:
    publish(archive, "box/a", b"first")
    publish(archive, "box/b", b"second")
    archive.move_many({"box/a": "done/day=2026-03-02/a", "box/gone": "done/gone"})
    assert archive.read_many(["done/day=2026-03-02/a"]) == {"done/day=2026-03-02/a": b"first"}
    assert archive.names("box") == ["b"]
    archive.move_many({})


def test_a_linked_folder_is_not_removed_with_what_it_leads_to(folder_url: str, tmp_path: Path) -> None:
    on_disk = open_archive(Settings(storage_url=folder_url))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    publish(on_disk, "other")
    on_disk.local_path("box").symlink_to(elsewhere)
    with pytest.raises(StorageError, match="cannot remove box"):
        on_disk.remove_below("box")
    assert (elsewhere / "file").exists()


def test_removing_a_folder_removes_its_content_and_nothing_else(archive: Archive) -> None:
    for key in ("box/a", "box/deeper/b", "boxes/c"):
        publish(archive, key)
    archive.remove_below("box")
    archive.remove_below("absent")
    assert [key for key in stored_keys(archive.location.root) if "_spool" not in key] == ["boxes/c"]
