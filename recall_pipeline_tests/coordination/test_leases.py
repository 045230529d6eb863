"""A lock of all hosts: who waits, who is kept out, and what is published after a lock is lost."""

import logging
import pickle
import threading
import time
import uuid
from datetime import date
from pathlib import Path

import pytest
import stamina

from recall_pipeline.coordination import leases, postgres_server, redis_server
from recall_pipeline.coordination.leases import Leases
from recall_pipeline.errors import CoordinationError, LockLost
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, open_day
from recall_pipeline_tests.coordination.conftest import LEASE_SECONDS
from recall_pipeline_tests.coordination_servers import RunningServer

pytestmark = pytest.mark.xdist_group("coordination")
DAY = date(2026, 3, 2)
KEY = "mixed_audio/day=2026-03-02/a.mp3"


class Host:
    """An archive as one host opens it, with a staging folder of its own."""

    def __init__(self, server: RunningServer, storage: Path, name: str) -> None:
        spool = storage.parent / f"spool of {name}"
        self.archive = open_archive(Settings(storage_url=str(storage), spool_dir=spool, coordination_url=server.url))

    def publish(self, archive: Archive | None = None) -> None:
        """Publish a file."""
        opened = archive or self.archive
        with opened.staged_file() as staged:
            staged.write_bytes(b"bytes")
            opened.publish(staged, KEY)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def hosts(server: RunningServer, storage: Path) -> tuple[Host, Host]:
    return Host(server, storage, "one"), Host(server, storage, "two")


@pytest.fixture
def unrenewed(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing renews a lease, as if the process was stopped."""
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 3600.0)


def test_a_second_host_waits_for_the_day_and_logs_who_holds_it(
    hosts: tuple[Host, Host], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = hosts
    order: list[str] = []

    def second() -> None:
        with open_day(two.archive, DAY):
            order.append("two")

    with open_day(one.archive, DAY), caplog.at_level(logging.WARNING, "recall_pipeline.waits"):
        waiting = threading.Thread(target=second)
        waiting.start()
        while "waiting for the lock" not in caplog.text:
            time.sleep(0.01)
        time.sleep(1.2 * LEASE_SECONDS)  # it is renewed meanwhile
        one.publish()
        order.append("one")
    waiting.join()
    assert order == ["one", "two"]
    assert f"day-{DAY}: process " in caplog.text
    assert " holds it" in caplog.text


def test_hosts_work_on_different_days_and_archives_at_once(
    hosts: tuple[Host, Host], server: RunningServer, tmp_path: Path
) -> None:
    one, two = hosts
    other = Host(server, tmp_path / "other", "three")
    with open_day(one.archive, DAY), open_day(two.archive, date(2026, 3, 3)), open_day(other.archive, DAY):
        one.publish()


@pytest.mark.usefixtures("unrenewed")
def test_a_holder_that_was_stopped_publishes_nothing_after_another_host_took_over(hosts: tuple[Host, Host]) -> None:
    one, two = hosts
    with open_day(one.archive, DAY):
        with open_day(two.archive, DAY):
            pass
        location = pickle.dumps(one.archive.location)
        for opened in (one.archive, pickle.loads(location).open()):  # noqa: S301 -- its worker process
            with pytest.raises(LockLost, match=f"day-{DAY} is lost"):
                one.publish(opened)
            with pytest.raises(LockLost):
                opened.remove(KEY)
            with pytest.raises(LockLost):
                opened.remove_below("mixed_audio")
            with pytest.raises(LockLost):
                opened.create(b"bytes", KEY)
        assert not one.archive.exists(KEY)
    one.publish()  # without a lock, as before


@pytest.mark.usefixtures("unrenewed")
def test_an_expired_lease_can_be_renewed_if_no_other_holder_took_the_lock(hosts: tuple[Host, Host]) -> None:
    one, _ = hosts
    with open_day(one.archive, DAY):
        time.sleep(1.1 * LEASE_SECONDS)
        one.publish()
    assert one.archive.exists(KEY)


def test_without_a_server_nothing_is_published_and_the_staged_bytes_stay(
    hosts: tuple[Host, Host], server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = hosts
    monkeypatch.setattr(leases, "LEASE_SECONDS", 3600.0)  # the holder may claim its lock again
    with open_day(one.archive, DAY), one.archive.staged_file() as staged:
        staged.write_bytes(b"bytes")
        server.kill()
        try:
            with pytest.raises(CoordinationError, match=r"RECALL_COORDINATION_URL: .* does not answer") as lost:
                one.archive.publish(staged, KEY)
        finally:
            monkeypatch.setattr(redis_server, "_UPTIME_ERROR_SECONDS", 3600.0)
            server.start()
        assert "word-of-n" not in str(lost.value)
        assert (lost.value.retry_can_help, one.archive.exists(KEY)) == (True, False)
        one.archive.publish(staged, KEY)
    assert one.archive.exists(KEY)


@pytest.mark.parametrize("shared_server", ["redis"], indirect=True)
def test_after_a_restart_only_the_holder_gets_the_lock_of_a_redis(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, opened = f"day {uuid.uuid4()}", server.open()
    assert opened.acquire(lock, "one", "process 1 on one") is None
    server.kill()
    server.start()
    monkeypatch.setattr(redis_server, "_UPTIME_ERROR_SECONDS", 3600.0)
    assert opened.acquire(lock, "two", "process 2 on two") is not None
    assert opened.renew(lock, "one", "process 1", may_claim=lambda: False, patience_seconds=0) == "unknown"
    assert opened.renew(lock, "one", "process 1", may_claim=lambda: True, patience_seconds=0) == "held"
    monkeypatch.setattr(redis_server, "_UPTIME_ERROR_SECONDS", -3600.0)
    assert opened.renew(lock, "two", "process 2", may_claim=lambda: True, patience_seconds=0) == "lost"
    assert opened.renew(f"{lock} of before", "one", "1", may_claim=lambda: True, patience_seconds=0) == "lost"


def test_a_holder_that_died_keeps_the_lock_for_one_lease(server: RunningServer) -> None:
    lock, opened = f"day {uuid.uuid4()}", server.open()
    assert opened.acquire(lock, "one", "process 1 on one") is None
    assert opened.acquire(lock, "two", "process 2 on two") == "process 1 on one"
    give_up_at = time.monotonic() + 20
    while opened.acquire(lock, "two", "process 2 on two") is not None:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    opened.release(lock, "one")  # it is not its own any more
    assert opened.acquire(lock, "three", "process 3 on two") == "process 2 on two"
    opened.release(lock, "two")
    assert opened.acquire(lock, "three", "process 3 on two") is None


def test_a_silent_server_is_reported_in_time(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (redis_server, postgres_server):
        monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.2)
    opened = server.open()
    assert opened.acquire(f"day {uuid.uuid4()}", "one", "process 1") is None
    server.pause()
    try:
        with stamina.set_testing(True, attempts=1), pytest.raises(CoordinationError, match="does not answer"):
            opened.renew("a lock", "one", "process 1", may_claim=lambda: True, patience_seconds=0)
    finally:
        server.resume()
    assert opened.renew("a lock", "one", "process 1", may_claim=lambda: True, patience_seconds=None) == "lost"


def test_leases_without_a_server_hold_nothing() -> None:
    none = Leases(None, "archive")
    with none.hold("day", "process 1"):
        none.confirm()
        assert none.held == ()


def test_the_release_of_a_lock_needs_no_server(hosts: tuple[Host, Host], server: RunningServer) -> None:
    one, _ = hosts
    with open_day(one.archive, DAY):
        server.kill()
    server.start()
