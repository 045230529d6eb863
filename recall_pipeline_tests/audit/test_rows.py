"""The audit of a day tells what of it must not come back, from the first note on."""

import dataclasses
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from recall_pipeline.audit import AUDIT, FORGOTTEN, RELEASED, AuditRow, erased_on, record_audit
from recall_pipeline.errors import TableUnreadable
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


def test_a_damaged_audit_is_not_to_be_moved_away_alone(archive: Archive) -> None:
    with archive.staged_file() as staged:
        staged.write_bytes(b"not Parquet")
        archive.publish(staged, AUDIT.key(DAY))
    with pytest.raises(TableUnreadable, match="run recall-pipeline forget again for what it named"):
        erased_on(archive, DAY)


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


class TestSeveralHosts:
    """Hosts share no lock, so that each may write at any time."""

    def test_no_host_removes_the_rows_of_another(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each reads the audit, and both write afterwards: the order in which rows were lost."""
        names, hosts = Archive.names, iter(["b"])

        def overtaken(reader: Archive, folder: str) -> list[str]:
            found = names(reader, folder)
            for host in hosts:
                write_from(host, row(recording_id="of b"))
            return found

        def write_from(host: str, *rows: AuditRow) -> None:
            with monkeypatch.context() as there:
                there.setattr("socket.gethostname", lambda: host)
                record_audit(archive, DAY, rows)

        write_from("a", row(recording_id="first"))
        monkeypatch.setattr(Archive, "names", overtaken)
        record_audit(archive, DAY, [row(recording_id="of a")])
        assert erased_on(archive, DAY).recordings == {"first", "of a", "of b"}

    def test_an_erasure_that_another_host_finished_is_one_finished_row(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun = row(recording_id="r")
        AUDIT.write(archive, DAY, [begun, row(bot_id="b")])  # as an earlier version did
        for host, finished in (("a", begun), ("b", dataclasses.replace(begun, finished_at=BEGAN)), ("c", begun)):
            monkeypatch.setattr("socket.gethostname", lambda host=host: host)
            record_audit(archive, DAY, [finished])
        rows = AUDIT.read(archive, DAY) or []
        assert [(found.key, found.finished_at) for found in rows if found.recording_id] == [(begun.key, BEGAN)]
        assert len(rows) == 2
        assert AUDIT.read_days(archive, columns=["recording_id"]).num_rows == 2
        seen = pq.ParquetDataset(f"{archive.location.root}/audit/").read().to_pylist()
        assert sorted(found["recording_id"] or "" for found in seen) == ["", "r"]

    def test_a_host_that_is_interrupted_between_its_two_files_has_not_finished(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun = row(recording_id="r")
        record_audit(archive, DAY, [begun])
        with monkeypatch.context() as killed:
            killed.setattr(type(AUDIT), "write", lambda *_: None)
            record_audit(archive, DAY, [dataclasses.replace(begun, finished_at=BEGAN)])
        assert [found.finished_at for found in AUDIT.read(archive, DAY) or []] == [None]
        record_audit(archive, DAY, [dataclasses.replace(begun, finished_at=BEGAN)])
        assert AUDIT.merged_rows(archive, DAY) == AUDIT.read(archive, DAY)
        assert AUDIT.read_columns(archive, DAY, "finished_at") == [(BEGAN,)]

    def test_foreign_files_beside_it_are_ignored(self, archive: Archive) -> None:
        record_audit(archive, DAY, [row(recording_id="r")])
        for name in (f"day={DAY}/.DS_Store", f"_hosts/day={DAY}/.DS_Store", f"_hosts/day={DAY}/audit-copy.parquet"):
            with archive.staged_file() as written:
                written.write_bytes(b"not a table")
                archive.publish(written, f"audit/{name}")
        assert erased_on(archive, DAY).recordings == {"r"}
