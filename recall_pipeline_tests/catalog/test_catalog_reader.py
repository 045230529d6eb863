"""The published reader gives what was asked for, and opens no more."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow, read_catalog
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, NINE, an_id

NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=2)


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def settings(storage_url: str) -> Settings:
    """An archive, and no key."""
    return Settings(storage_url=storage_url)


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """Three days: two rows, one, one."""
    for day, outcomes in ((DAY, ("ready", "corrupt")), (NEXT, ("silent",)), (LATER, ("ready",))):
        rows = [
            CatalogRow(
                recording_id=an_id(f"{day} {outcome}"), outcome=outcome, created_at=NINE, metadata='{"é": "会議"}'
            )
            for outcome in outcomes
        ]
        CATALOG.write(archive, day, rows)
    return archive


def test_everything_is_read_without_bounds(filled: Archive, settings: Settings) -> None:
    table = read_catalog(settings=settings)
    assert sorted(zip(table["day"], table["outcome"], strict=True)) == [
        (DAY, "corrupt"),
        (DAY, "ready"),
        (NEXT, "silent"),
        (LATER, "ready"),
    ]
    assert list(table.columns) == [*(field.name for field in dataclasses.fields(CatalogRow)), "day"]
    assert table["created_at"].tolist() == [NINE] * 4
    assert set(table["metadata"]) == {'{"é": "会議"}'}


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (NEXT, None, {NEXT, LATER}),
        (None, NEXT, {DAY, NEXT}),
        (NEXT, NEXT, {NEXT}),
        (LATER + timedelta(days=1), None, set()),
        (LATER, DAY, set()),
    ],
)
def test_both_bounds_are_included(
    filled: Archive, settings: Settings, first: date | None, last: date | None, days: set[date]
) -> None:
    assert set(read_catalog(first=first, last=last, settings=settings)["day"]) == days


def test_days_outside_the_bounds_are_not_opened(filled: Archive, settings: Settings) -> None:
    with filled.staged_file() as written:
        written.write_bytes(b"no parquet")
        filled.publish(written, Layout.table("audio_catalog", LATER))
    assert len(read_catalog(last=NEXT, settings=settings)) == 3


@pytest.mark.parametrize(
    ("outcomes", "count"), [(["ready"], 2), ({"ready", "silent"}, 3), (["expired"], 0), ([], 0), (None, 4)]
)
def test_outcomes_are_chosen(filled: Archive, settings: Settings, outcomes: list[str] | None, count: int) -> None:
    assert len(read_catalog(outcomes=outcomes, settings=settings)) == count


def test_columns_are_chosen_even_those_not_filtered_by(filled: Archive, settings: Settings) -> None:
    table = read_catalog(outcomes=["ready"], columns=["day", "recording_id"], settings=settings)
    assert list(table.columns) == ["day", "recording_id"]
    assert set(table["recording_id"]) == {an_id(f"{DAY} ready"), an_id(f"{LATER} ready")}


def test_an_archive_without_anything_is_an_empty_table(settings: Settings) -> None:
    table = read_catalog(settings=settings)
    assert len(table) == 0
    assert "audio_uri" in table.columns
    assert len(read_catalog(outcomes=["ready"], columns=["day"], settings=settings)) == 0


def test_the_environments_archive_is_read_and_no_key_is_needed(
    filled: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", filled.location.root)
    assert len(read_catalog()) == 4


def test_numbers_and_moments_keep_their_types_where_they_are_missing(archive: Archive, settings: Settings) -> None:
    known = CatalogRow(recording_id=an_id("known"), outcome="ready", created_at=NINE, audio_samples=96_000)
    CATALOG.write(archive, DAY, [known, CatalogRow(recording_id=an_id("none"), outcome="deleted", created_at=NINE)])
    schema = CATALOG.read_days(archive).schema
    assert [str(schema.field(name).type) for name in ("audio_samples", "gain_db", "started_at", "day")] == [
        "int64",
        "double",
        "timestamp[us, tz=UTC]",
        "date32[day]",
    ]
    table = read_catalog(settings=settings).set_index("recording_id")
    assert table.loc[an_id("known"), "audio_samples"] == 96_000
    assert table["created_at"].max() == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_no_secret_is_among_the_columns() -> None:
    assert not [name for name in CATALOG.columns if "url" in name or "password" in name]
