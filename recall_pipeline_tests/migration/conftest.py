"""The archive of the first version, copied to a folder whose name has a space, or into a bucket."""

import shutil
from pathlib import Path

import fsspec
import pytest

from recall_pipeline_tests.cli.conftest import home, run
from recall_pipeline_tests.damage.conftest import in_this_process
from recall_pipeline_tests.golden.conftest import STORED
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET

__all__ = ["home", "in_this_process", "run"]


@pytest.fixture
def folder_url(tmp_path: Path) -> str:
    """A copy in a folder."""
    return str(shutil.copytree(STORED, tmp_path / "my archive"))


@pytest.fixture
def bucket_copy(bucket_url: str) -> str:
    """A copy in a bucket."""
    filesystem = fsspec.filesystem("s3", use_listings_cache=False)
    filesystem.put(f"{STORED}/", bucket_url.removeprefix("s3://"), recursive=True)
    return bucket_url


BUCKET_COPY = pytest.param("bucket_copy", id="s3", marks=FOLDER_AND_BUCKET[1].marks)
