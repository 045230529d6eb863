"""Audio over HTTP Range, from a folder and from S3: only the bytes that are asked for are read."""

from dataclasses import replace

import httpx
import numpy as np
import pytest

from recall_pipeline.browse.byte_ranges import NotSatisfiable, requested_range
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, open_archive
from recall_pipeline_tests.browse.conftest import Serve
from recall_pipeline_tests.browse.meetings import DAY, file_of, row, with_audio, write_day
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import an_id

MEGABYTE = 1_000_000


def link(row: CatalogRow, kind: str = "normalized") -> str:
    return f"/days/{DAY}/{row.recording_id}/{row.audio_id}/{kind}"


@pytest.mark.parametrize(("kind", "media"), [("normalized", "audio/flac"), ("original", "audio/mpeg")])
def test_a_whole_file_is_the_stored_one(
    client: httpx.Client, rows: dict[str, CatalogRow], shared_archive: Archive, kind: str, media: str
) -> None:
    ready = rows["ready"]
    answer = client.get(link(ready, kind))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == file_of(shared_archive, ready.audio_key if kind == "normalized" else ready.source_key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=10-", (10, 1000)),
        ("bytes=990-5000", (990, 1000)),
        ("bytes=-10", (990, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("BYTES=5-6", (5, 7)),
        ("bytes = 5-6", (5, 7)),
    ],
)
def test_one_range_is_answered(text: str, expected: tuple[int, int]) -> None:
    found = requested_range(text, 1000)
    assert found is not None
    assert (found.start, found.end) == expected
    assert found.content_range == f"bytes {expected[0]}-{expected[1] - 1}/1000"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "items=0-1",
        "bytes=٣-٤",
        "bytes=--5",
        "bytes=0-" + "9" * 50,
    ],
)
def test_what_is_not_one_range_is_answered_by_the_whole_file(text: str | None) -> None:
    assert requested_range(text, 1000) is None


@pytest.mark.parametrize(
    ("text", "size"), [("bytes=1000-", 1000), ("bytes=5000-6000", 1000), ("bytes=-0", 1000), ("bytes=0-", 0)]
)
def test_a_range_behind_the_end_cannot_be_satisfied(text: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        requested_range(text, size)


def test_a_range_over_http_has_its_bytes_and_headers(
    client: httpx.Client, rows: dict[str, CatalogRow], shared_archive: Archive
) -> None:
    content = file_of(shared_archive, rows["ready"].audio_key)
    answer = client.get(link(rows["ready"]), headers={"Range": "bytes=1000-300000"})
    assert (answer.status_code, answer.content) == (206, content[1000:300001])
    assert answer.headers["content-range"] == f"bytes 1000-300000/{len(content)}"
    assert answer.headers["content-length"] == "299001"


def test_a_range_behind_the_end_is_refused_with_the_size(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    answer = client.get(link(rows["ready"]), headers={"Range": "bytes=99999999-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{rows['ready'].audio_bytes}")


def test_head_has_the_headers_of_the_whole_file_and_no_body(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = client.head(link(rows["ready"]), headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(rows["ready"].audio_bytes)


def test_if_range_gives_the_range_of_the_same_file_only(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    tag = client.head(link(rows["ready"])).headers["etag"]
    answers = [
        client.get(link(rows["ready"]), headers={"Range": "bytes=0-9", "If-Range": value}).status_code
        for value in (tag, '"other"', f"W/{tag}", "Mon, 02 Mar 2026 09:00:00 GMT")
    ]
    assert answers == [206, 200, 200, 200]


def test_a_file_that_the_client_has_is_not_sent_again(client: httpx.Client, rows: dict[str, CatalogRow]) -> None:
    tag = client.head(link(rows["ready"])).headers["etag"]
    answer = client.get(link(rows["ready"]), headers={"If-None-Match": f'"x", W/{tag}'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "../archive.json/x/normalized",
        "..%2f..%2farchive.json/x/normalized",
        f"{an_id('ready')}/..%2f..%2fx/normalized",
        f"{an_id('ready')}/{an_id('ready mp3')}/..%2f",
        f"{an_id('ready')}/{an_id('corrupt mp3')}/original",
        f"{an_id('nobody')}/{an_id('ready mp3')}/normalized",
        f"{an_id('processing')}/None/original",
        f"{{{an_id('ready')}}}/{an_id('ready mp3')}/normalized",
        f"{an_id('ready')}/{an_id('ready mp3')}/%00",
    ],
)
def test_an_id_that_is_not_one_of_the_catalog_never_reaches_a_path(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/days/{DAY}/{path}")
    assert answer.status_code == 404
    assert not answer.headers["content-type"].startswith("audio/")


@pytest.mark.parametrize(
    "key",
    [
        "archive.json",
        "../secret.flac",
        "audio_catalog/day=2026-03-02/audio_catalog.parquet",
        "/etc/passwd",
        "normalized_audio/day=2026-03-02/../x/y.flac",
        Layout.normalized(DAY, an_id("other"), an_id("other mp3"), "flac"),
    ],
)
def test_a_key_in_the_catalog_is_followed_only_to_audio_of_the_recording(
    serve: Serve, archive: Archive, key: str
) -> None:
    with archive.staged_file() as staged:
        staged.write_bytes(b"secret")
        if not key.startswith(("/", "..")):
            archive.publish(staged, key)
    changed = replace(row("wild"), audio_key=key, audio_uri=f"file:///{key}", audio_sha256="0" * 64)
    if key != "audio_catalog/day=2026-03-02/audio_catalog.parquet":
        write_day(archive, changed)
        assert serve(archive).get(link(changed)).status_code == 404


def test_a_file_that_is_gone_is_reported(serve: Serve, archive: Archive) -> None:
    ready = with_audio(archive, row("ready"))
    write_day(archive, ready)
    archive.remove(ready.audio_key or "")
    answer = serve(archive).get(link(ready))
    assert answer.status_code == 404
    assert "recall-pipeline verify" in answer.text


@pytest.mark.parametrize("url", FOLDER_AND_BUCKET)
def test_ten_seconds_of_a_long_file_read_no_more_than_they_have(
    request: pytest.FixtureRequest, url: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, size = _archive_at(request.getfixturevalue(url)), 5 * MEGABYTE
    long = replace(row("long"), audio_key=Layout.normalized(DAY, an_id("long"), an_id("long mp3"), "flac"))
    content = np.random.default_rng(1).bytes(5 * MEGABYTE)
    with archive.staged_file() as staged:
        staged.write_bytes(content)
        archive.publish(staged, long.audio_key or "")
    write_day(archive, long)
    client, read = serve(archive), list[int]()
    whole = archive.read_range

    def counted(key: str, start: int, end: int) -> bytes | None:
        read.append(end - start)
        return whole(key, start, end)

    monkeypatch.setattr(archive, "read_range", counted)
    middle = size // 2 + 12345
    answer = client.get(link(long), headers={"Range": f"bytes={middle}-{middle + 159_999}"})
    assert answer.content == content[middle : middle + 160_000]
    assert sum(read) == 160_000
    with client.stream("GET", link(long), headers={"Range": f"bytes={middle}-"}) as stream:
        taken = next(stream.iter_bytes(100_000))
    assert taken == content[middle : middle + 100_000]


def _archive_at(url: str) -> Archive:
    return open_archive(Settings(storage_url=url))
