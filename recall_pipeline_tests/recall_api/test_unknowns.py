"""What a row has that is not in Recall's published descriptions is named without a value."""

from typing import Any

import pytest

from recall_pipeline.recall_api.unknowns import unknown_in
from recall_pipeline_tests.recall_api.test_page_contract import ROWS


@pytest.mark.parametrize("kind", ROWS)
def test_a_documented_row_has_nothing_unknown(kind: str) -> None:
    assert unknown_in(kind, ROWS[kind]) == set()
    without = {"type audio_mixed.recording without an id"} if kind == "audio_mixed" else set()
    assert unknown_in(kind, dict.fromkeys(ROWS[kind])) == without


@pytest.mark.parametrize(
    ("kind", "changes", "name"),
    [
        ("bot", {"hair_colour": "hidden"}, "field bot.hair_colour"),
        ("bot", {"Hidden Name": 1}, "field bot.(unusual name)"),
        ("bot", {"recordings": [{"status": {"mood": "hidden"}}]}, "field bot.recordings[].status.mood"),
        ("bot", {"status_changes": [{"code": "in_orbit"}]}, "code bot.in_orbit"),
        ("bot", {"meeting_url": {"platform": "hologram"}}, "code platform.hologram"),
        ("bot", {"join_at": 1772442000}, "type bot.join_at number"),
        ("recording", {"status": "done"}, "type recording.status text"),
        ("recording", {"status": {"code": "archived"}}, "code recording.archived"),
        ("audio_mixed", {"format": "opus"}, "code format.opus"),
        ("audio_mixed", {"recording": {"id": "hidden"}}, "type audio_mixed.recording without an id"),
        ("audio_mixed", {"recording": {}}, "type audio_mixed.recording without an id"),
        ("audio_mixed", {"data": ["hidden"]}, "type audio_mixed.data list"),
    ],
)
def test_a_new_field_code_or_type_is_named(kind: str, changes: dict[str, Any], name: str) -> None:
    assert unknown_in(kind, {**ROWS[kind], **changes}) == {name}


def test_keys_of_metadata_are_words_of_customers_and_not_new() -> None:
    assert unknown_in("bot", {**ROWS["bot"], "metadata": {"hidden": 1}}) == set()


def test_a_status_that_is_text_is_read_as_its_code() -> None:
    new = {"type audio_mixed.status text", "code audio_mixed.frozen"}
    assert unknown_in("audio_mixed", {**ROWS["audio_mixed"], "status": "frozen"}) == new
