"""The storages that tests run on, and readers of both that do not use the code under test."""

import fsspec
import pytest

FOLDER = pytest.param("folder_url", id="folder")
BUCKET = pytest.param("bucket_url", id="s3", marks=pytest.mark.xdist_group("s3"))
FOLDER_AND_BUCKET = (FOLDER, BUCKET)


def stored(root: str) -> dict[str, bytes]:
    """Return the content of every file below a folder or an fsspec URL, by relative path."""
    scheme = root.partition("://")[0] if "://" in root else "file"
    filesystem = fsspec.filesystem(scheme, use_listings_cache=False)
    path = filesystem._strip_protocol(root)
    names = filesystem.find(path) if filesystem.exists(path) else []
    return {name.removeprefix(path).lstrip("/"): filesystem.cat_file(name) for name in sorted(names)}


def stored_keys(root: str) -> list[str]:
    """Return the relative path of every file below `root`, sorted."""
    return list(stored(root))
