"""Something else in place of a file: as a table it stops its own day, with the next action, and no other one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery import BOTS
from recall_pipeline.errors import ArchiveUnreadable, StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, open_day
from recall_pipeline_tests.workspace import DAY


def folder(path: Path) -> None:
    path.mkdir()


def circle(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.fixture
def on_disk(folder_url: str) -> Archive:
    return open_archive(Settings(storage_url=folder_url))


@pytest.fixture(params=[folder, circle], ids=lambda make: make.__name__)
def odd(request: pytest.FixtureRequest, on_disk: Archive) -> Archive:
    """An archive with something else in place of a table of `DAY`."""
    make: Callable[[Path], None] = request.param
    path = on_disk.local_path(BOTS.key(DAY))
    path.parent.mkdir(parents=True)
    make(path)
    return on_disk


def test_the_error_says_what_to_do(odd: Archive) -> None:
    with open_day(odd, DAY) as day, pytest.raises(StorageError, match="move what is there away and sync") as raised:
        day.rows(BOTS)
    assert not raised.value.retry_can_help


def test_the_next_day_reads_it_as_a_day_without_rows(odd: Archive) -> None:
    with open_day(odd, DAY + ONE_DAY) as day:
        assert list(day.rows(BOTS, DAY)) == []


def test_a_listing_passes_over_it(odd: Archive) -> None:
    AUDIT.write(odd, DAY, [])
    assert odd.sizes_below("bots").keys() <= {BOTS.key(DAY)}
    assert odd.sizes_below("audit").keys() == {AUDIT.key(DAY)}


@pytest.mark.parametrize("make", [folder, circle])
def test_in_place_of_the_identity_it_is_a_damaged_archive(
    on_disk: Archive, make: Callable[[Path], None], folder_url: str
) -> None:
    AUDIT.write(on_disk, DAY, [])
    make(on_disk.local_path("archive.json"))
    with pytest.raises(ArchiveUnreadable, match=r"archive.json is damaged \(it is not a file\)"):
        open_archive(Settings(storage_url=folder_url))
