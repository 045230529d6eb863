"""`catalog` shows the outcome of each recording as a table, JSON or CSV."""

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.catalog.outcome_labels import OUTCOME_LABELS
from recall_pipeline.catalog.outcomes import Outcome
from recall_pipeline.storage import Archive
from recall_pipeline_tests.cli.conftest import Run

DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)
READY = CatalogRow(
    recording_id="c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f",
    audio_id="e9d0a1b2-3344-4c55-9d66-778899aabbcc",
    bot_name="Notes [beta], Köln",
    platform="zoom",
    outcome="ready",
    created_at=datetime(2026, 3, 2, 9, 0, 21, tzinfo=UTC),
    duration_seconds=3725.0,
    source_bytes=123,
    source_lufs=-20.54,
    audio_lufs=-16.02,
)
CORRUPT = CatalogRow(
    recording_id="0b7c6c1e-2f0a-4a43-9c55-0d2f6a1b9e01",
    outcome="corrupt",
    outcome_reason="an HTML page",
    findings=["zero_runs", "overdue"],
    created_at=datetime(2026, 3, 3, 9, 0, tzinfo=UTC),
)


@pytest.fixture(autouse=True)
def cataloged(archive: Archive) -> None:
    CATALOG.write(archive, DAY, [READY])
    CATALOG.write(archive, NEXT_DAY, [CORRUPT])


def test_the_table_has_one_line_per_row_and_a_legend_of_its_outcomes(run: Run) -> None:
    result = run("catalog")
    assert (result.status, result.err) == (0, "")
    header, ready, corrupt, _, *legend, _, total = result.out.splitlines()
    assert header.split("  ")[0] == "started (UTC)"
    assert ready.split() == [
        *("2026-03-02", "09:00", "c1a5c4be", "Notes", "[beta],", "Köln", "zoom", "ready"),
        *("1:02:05,", "-20.5", "→", "-16.0", "LUFS"),
    ]
    assert corrupt.split() == ["2026-03-03", "09:00", "0b7c6c1e", "corrupt", "an", "HTML", "page"]
    assert [line.split(maxsplit=2) for line in legend] == [
        ["1", "ready", OUTCOME_LABELS[Outcome.READY].meaning],
        ["1", "corrupt", OUTCOME_LABELS[Outcome.CORRUPT].meaning],
    ]
    assert total == "2 rows, 1:02:05 of audio."


def test_every_outcome_has_a_label() -> None:
    assert set(OUTCOME_LABELS) == set(Outcome)


def test_json_has_every_column_with_integers_and_days(run: Run) -> None:
    ready, corrupt = json.loads(run("catalog", "--format", "json").out)
    assert list(ready) == [*CATALOG.columns, "day"]
    assert ready["day"] == "2026-03-02"
    assert ready["created_at"] == "2026-03-02T09:00:21.000000Z"
    assert ready["bot_name"] == "Notes [beta], Köln"
    assert (ready["source_bytes"], corrupt["source_bytes"]) == (123, None)
    assert (ready["findings"], corrupt["findings"]) == (None, ["zero_runs", "overdue"])


def test_csv_has_every_column_with_integers_and_days(run: Run) -> None:
    ready, corrupt = csv.DictReader(io.StringIO(run("catalog", "--format", "csv").out))
    assert list(ready) == [*CATALOG.columns, "day"]
    assert (ready["day"], ready["source_bytes"], corrupt["source_bytes"]) == ("2026-03-02", "123", "")
    assert (ready["findings"], corrupt["findings"]) == ("", "zero_runs;overdue")


@pytest.mark.parametrize("chosen", [["--day", "2026-03-03"], ["--outcome", "corrupt"]], ids=" ".join)
def test_rows_are_filtered_by_day_or_outcome(run: Run, chosen: list[str]) -> None:
    (row,) = json.loads(run("catalog", *chosen, "--format", "json").out)
    assert row["recording_id"] == CORRUPT.recording_id


def test_without_matching_rows_it_prints_one_line(run: Run) -> None:
    result = run("catalog", "--outcome", "silent")
    assert (result.status, result.out) == (0, "No matching rows in the catalog.\n")


def test_it_does_not_need_a_dagster_home(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/nonexistent")
    assert run("catalog").status == 0
