"""The audit of a day tells what of it must not come back, from the first note on."""

from datetime import UTC, date, datetime

from recall_pipeline.audit import AUDIT, FORGOTTEN, RELEASED, AuditRow, erased_on
from recall_pipeline.storage import Archive

DAY = date(2026, 3, 2)
BEGAN = datetime(2026, 3, 20, tzinfo=UTC)


def row(action: str = FORGOTTEN, **ids: str) -> AuditRow:
    return AuditRow(
        action, ids.get("recording_id"), ids.get("audio_id"), ids.get("bot_id"), reason="request 17", began_at=BEGAN
    )


def test_a_day_without_an_audit_has_no_erased_ids(archive: Archive) -> None:
    assert erased_on(archive, DAY).recordings == erased_on(archive, DAY).bots == frozenset()


def test_an_unfinished_erasure_counts_as_erased(archive: Archive) -> None:
    AUDIT.write(archive, DAY, [row(recording_id="r", bot_id="its bot"), row(bot_id="b")])
    assert erased_on(archive, DAY).recordings == {"r"}
    assert erased_on(archive, DAY).bots == {"b"}
    assert erased_on(archive, date(2026, 3, 3)).recordings == frozenset()


def test_an_upstream_deletion_does_not_count_as_erased(archive: Archive) -> None:
    AUDIT.write(archive, DAY, [row(RELEASED, recording_id="r", audio_id="a")])
    assert erased_on(archive, DAY).recordings == frozenset()


def test_each_object_has_one_row_per_action() -> None:
    keys = [
        row(recording_id="r", bot_id="b").key,
        row(bot_id="b").key,
        row(RELEASED, recording_id="r", audio_id="a").key,
        row(RELEASED, recording_id="r", audio_id="a2").key,
    ]
    assert len(set(keys)) == 4
