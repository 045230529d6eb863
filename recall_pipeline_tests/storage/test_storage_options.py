"""Options of fsspec in the settings: an archive opens with them where the environment names another store."""

import pickle
from pathlib import Path
from uuid import uuid4

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveLocation, open_archive
from recall_pipeline_tests.s3_server import S3Server

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def settings(s3_server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the credentials of the server, in an environment with those of another store."""
    own = s3_server.environment
    wrong = {"AWS_ACCESS_KEY_ID": "wrong", "AWS_SECRET_ACCESS_KEY": "wrong", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    options = {
        "key": own["AWS_ACCESS_KEY_ID"],
        "secret": own["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": own["AWS_ENDPOINT_URL"],
        "config_kwargs": {"connect_timeout": 20},
    }
    plain = Settings(storage_url=f"s3://{bucket}/{uuid4()}", spool_dir=tmp_path / "spool")
    return plain.with_storage_options(options)


def test_an_archive_and_its_copy_in_a_worker_use_the_options(settings: Settings) -> None:
    archive = open_archive(settings)
    with archive.staged_file() as staged:
        staged.write_bytes(b"kept")
        archive.publish(staged, "note.txt")
    copy: ArchiveLocation = pickle.loads(pickle.dumps(archive.location))  # noqa: S301  of this process
    assert copy.open().read("note.txt") == b"kept"


def test_no_text_of_settings_or_archive_shows_the_options(settings: Settings) -> None:
    secret = settings.storage_options["secret"]
    for shown in (settings, settings.model_dump(), ArchiveLocation.from_settings(settings)):
        assert secret not in f"{shown!r}{shown}"
    assert hash(ArchiveLocation.from_settings(settings))
