"""A day of the sandbox, synced and erased under locks of all hosts."""

import threading
import time
from pathlib import Path

import pytest

from recall_pipeline.catalog import CATALOG, sync_catalog
from recall_pipeline.coordination import connect, leases
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.errors import LockLost
from recall_pipeline.storage import open_day
from recall_pipeline_tests.coordination.conftest import set_lease
from recall_pipeline_tests.coordination_servers import RunningServer
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, settings_for, talk
from recall_sandbox import Sandbox

pytestmark = pytest.mark.xdist_group("coordination")


def host(sandbox: Sandbox, server: RunningServer, folder: Path, name: str) -> Workspace:
    """Return a workspace on one host: a staging folder of its own, and the archive and server of all."""
    settings = settings_for(
        sandbox, str(folder / "data"), spool_dir=folder / name, coordination_url=server.url, workers="1"
    )
    return Workspace(sandbox, settings)


@pytest.mark.parametrize("shared_server", ["postgresql"], indirect=True)
def test_an_erasure_on_another_host_waits_for_the_sync_of_its_day(
    sandbox: Sandbox, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_lease(monkeypatch, 30)
    one, two = host(sandbox, server, tmp_path, "one"), host(sandbox, server, tmp_path, "two")
    one.meet("kept", talk())
    one.meet("erased", talk(1))
    one.capture()
    plan = plan_for_request(two.archive, recording_id=an_id("erased"))
    erasing = threading.Thread(target=forget, args=[two.archive, plan, "a test", lambda *_: None])
    with open_day(one.archive, DAY) as day:
        erasing.start()
        sync_catalog(day, one.settings)
    erasing.join()
    connect(server.url).close()
    assert {row.recording_id: row.outcome for row in CATALOG.read(one.archive, DAY) or []} == {
        an_id("kept"): "ready",
        an_id("erased"): "forgotten",
    }
    assert [key for key in one.archive.sizes_below("") if an_id("erased") in key] == []


@pytest.mark.parametrize("shared_server", ["postgresql"], indirect=True)  # a Redis that has just started answers late
def test_a_worker_that_lost_its_lock_publishes_nothing_and_the_step_fails(
    sandbox: Sandbox, server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_lease(monkeypatch, 0.5)
    one = host(sandbox, server, tmp_path, "one")
    one.meet("talk", talk())
    one.capture()
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 3600.0)
    with open_day(one.archive, DAY) as day:
        (held,) = one.archive.location.held_locks
        opened = server.open()
        while opened.acquire(held.name, "another", "process 2") is not None:
            time.sleep(0.1)
        before = one.archive.sizes_below("")
        with pytest.raises(LockLost, match="is lost"):
            sync_catalog(day, one.settings)
        assert one.archive.sizes_below("") == before
    opened.release(held.name, "another")
    connect(server.url).close()
