"""A page that breaks the contract is an error that names fields and types, and no value."""

from typing import Any

import pytest

from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.recall_api.page_contract import check_page, fault_of_row, fields_and_types
from recall_pipeline_tests.recall_api.test_records import AUDIO, BOT, RECORDING

ROWS: dict[str, dict[str, Any]] = {
    "bot": BOT,
    "recording": {**RECORDING, "bot": {"id": BOT["id"]}},
    "audio_mixed": {**AUDIO, "recording": {"id": RECORDING["id"]}},
}
FEW_FIELDS: dict[str, dict[str, Any]] = {
    "bot": {"id": 1, "meeting_url": None, "status_changes": [], "recordings": []},
    "recording": {"id": 1, "created_at": "x"},
    "audio_mixed": {"id": 1, "status": {}, "download_url": "x"},
}


@pytest.mark.parametrize("kind", ROWS)
def test_rows_of_the_expected_kind_are_accepted(kind: str) -> None:
    for rows in ([ROWS[kind]] * 3, [FEW_FIELDS[kind]] * 3, [{"id": 1}], [], [7, ROWS[kind]]):
        check_page(kind, rows, readable=1)


@pytest.mark.parametrize(("kind", "other"), [(a, b) for a in ROWS for b in ROWS if a != b])
def test_rows_of_another_kind_are_an_error(kind: str, other: str) -> None:
    with pytest.raises(
        RecallProtocolError, match=f"list {kind}: the rows of a page are of the kind {other}: expected id"
    ):
        check_page(kind, [ROWS[other]] * 2, readable=2)


@pytest.mark.parametrize("row", [7, None, "hidden", ["hidden"], {"hidden value": 1}, {"id": 7, "name": "hidden"}])
def test_a_page_without_a_readable_row_is_an_error_without_values(row: object) -> None:
    with pytest.raises(RecallProtocolError, match="none of the 3 rows of a page can be read: expected id") as raised:
        check_page("recording", [row] * 3, readable=0)
    assert "hidden" not in str(raised.value)


def test_a_single_row_that_cannot_be_read_is_left_out_instead() -> None:
    check_page("recording", [{"id": 7}], readable=0)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (7, "it is number, not an object"),
        ({}, "its id is not a UUID (null)"),
        ({"id": "../../etc"}, "its id is not a UUID (text)"),
        ({"id": RECORDING["id"], "created_at": "soon"}, "its created_at is not a date-time (text)"),
        ({"id": RECORDING["id"]}, "its created_at is not a date-time (null)"),
    ],
)
def test_the_fault_of_a_row_is_named_without_its_value(row: object, fault: str) -> None:
    assert fault_of_row("recording", row) == fault


def test_a_shape_has_names_and_types_only() -> None:
    shape = fields_and_types(
        {"id": "hidden", "data": {"url": "hidden"}, "n": 1, "Name Of Nobody": "hidden", "ok": True}
    )
    assert shape == "data (object: url (text)), id (text), n (number), ok (true or false) and 1 more"
