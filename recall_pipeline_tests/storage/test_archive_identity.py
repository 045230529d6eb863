"""An archive states its format and its API, and is refused by name where they differ."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from recall_pipeline.errors import ArchiveRefused, ArchiveUnreadable
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, accept_api, check_identity, open_archive, record_identity
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def settings_of(archive: Archive, **api: str) -> Settings:
    return Settings(storage_url=archive.location.root, **api)


def write(archive: Archive, content: bytes) -> None:
    with archive.staged_file() as staged:
        staged.write_bytes(content)
        archive.publish(staged, "archive.json")


def content(archive: Archive) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("archive.json") or b"{}")
    return found


def test_the_first_sync_writes_both_files_and_a_later_one_changes_neither(archive: Archive) -> None:
    record_identity(archive, settings_of(archive, region="eu-central-1"))
    before = stored(archive.location.root)
    assert set(before) == {"archive.json", "README.txt"}
    assert content(archive).keys() == {"format", "created_at", "created_by", "api", "workspace"}
    assert (content(archive)["format"], content(archive)["api"]) == (1, "eu-central-1.recall.ai")
    record_identity(archive, settings_of(archive, region="eu-central-1"))
    assert stored(archive.location.root) == before


def test_a_reader_writes_nothing(archive: Archive) -> None:
    open_archive(settings_of(archive))
    assert check_identity(archive, settings_of(archive)) is None
    assert stored(archive.location.root) == {}


def test_several_hosts_that_write_it_at_once_agree(archive: Archive) -> None:
    def record(_: int) -> dict[str, Any]:
        record_identity(archive, settings_of(archive, region="us-west-2"))
        return content(archive)

    with ThreadPoolExecutor(8) as hosts:
        assert {each["api"] for each in hosts.map(record, range(8))} == {"us-west-2.recall.ai"}


def test_of_two_apis_that_write_it_at_once_in_a_folder_one_is_refused(folder_url: str) -> None:
    def record(number: int) -> str | None:
        settings = Settings(storage_url=folder_url, region="us-west-2" if number % 2 else "eu-central-1")
        archive = open_archive(settings)
        try:
            record_identity(archive, settings)
        except ArchiveRefused:
            return None
        return str(content(archive)["api"])

    with ThreadPoolExecutor(8) as hosts:
        accepted = set(hosts.map(record, range(8))) - {None}
    assert accepted == {content(open_archive(Settings(storage_url=folder_url)))["api"]}


@pytest.mark.parametrize("number", [2, 99])
def test_a_newer_format_is_refused_by_name_by_whatever_opens_the_archive(number: int, archive: Archive) -> None:
    write(archive, json.dumps({"format": number, "api": 7}).encode())
    with pytest.raises(ArchiveRefused, match=f"archive.json has format {number}.*update recall_pipeline"):
        open_archive(settings_of(archive))


@pytest.mark.parametrize(
    "damaged",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"format": "1"}', b'{"format": true}', b'{"format": 0}',
     b'{"format": 1, "api": 7}', b'{"format": 1, "workspace": []}', b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_one_clear_error(damaged: bytes, archive: Archive) -> None:
    write(archive, damaged)
    with pytest.raises(ArchiveUnreadable, match=r"archive.json is damaged \(.*\): restore it from a backup") as raised:
        open_archive(settings_of(archive))
    assert "\n" not in str(raised.value)
    assert not raised.value.retry_can_help


@pytest.mark.parametrize(
    ("archived", "named"),
    [
        ("eu-central-1.recall.ai", {"region": "eu-central-1"}),
        ("EU-central-1.recall.ai.", {"region": "eu-central-1"}),
        ("api.recall.ai", {"region": "us-east-1"}),
        ("us-east-1.recall.ai", {"api_url": "https://api.recall.ai:443/api/v1"}),
        ("127.0.0.1", {"api_url": "http://localhost:8100/api/v1"}),
        ("localhost", {"api_url": "http://127.9.9.9:1/api/v1"}),
        ("127.0.0.1", {"api_url": "http://[::1]:8100/api/v1"}),
        ("::1", {"api_url": "http://127.0.0.1:8100/api/v1"}),
        (None, {"region": "us-west-2"}),
    ],
)
def test_the_same_api_under_another_name_is_accepted(
    archived: str | None, named: dict[str, str], archive: Archive
) -> None:
    write(archive, json.dumps({"format": 1, "api": archived, "workspace": None, "later": 1}).encode())
    assert check_identity(archive, settings_of(archive, **named)) is not None


@pytest.mark.parametrize(
    ("archived", "named"),
    [
        ("eu-central-1.recall.ai", {"region": "us-east-1"}),
        ("api.recall.ai", {"region": "us-west-2"}),
        ("127.0.0.1", {"region": "us-east-1"}),
        ("us-east-1.recall.ai", {"api_url": "http://127.0.0.1:8100/api/v1"}),
    ],
)
def test_another_api_is_refused_by_name_until_it_is_accepted(
    archived: str, named: dict[str, str], archive: Archive
) -> None:
    write(archive, json.dumps({"format": 1, "api": archived, "workspace": "acme", "later": 1}).encode())
    with pytest.raises(ArchiveRefused, match=f"has recordings of {archived}, but the settings name ") as raised:
        record_identity(archive, settings_of(archive, **named))
    accept_api(archive, str(raised.value).rpartition("--accept-api ")[2])
    record_identity(archive, settings_of(archive, **named))
    assert (content(archive)["workspace"], content(archive)["later"]) == ("acme", 1)
