"""What a second sync looks at again is what the outcome table says, and nothing else."""

from recall_pipeline_tests.workspace import Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.content import ErrorPage
from recall_sandbox.effects import unavailable


def outcomes(workspace: Workspace) -> dict[str, str]:
    """Outcome by the id of the MP3, after a sync."""
    return {row.key: row.outcome for row in workspace.sync().rows}


def test_whatever_changes_at_recall_is_followed(workspace: Workspace) -> None:
    [mixing] = workspace.meet("mixing", None, status="processing")
    [failed] = workspace.meet("failed", None, status="failed")
    [hidden] = workspace.meet("hidden", None)
    [busy] = workspace.meet("busy", talk(1))
    [page] = workspace.meet("page", ErrorPage())
    [mended] = workspace.meet("mended", ErrorPage())
    [ready] = workspace.meet("ready", talk(2))
    [changed] = workspace.meet("changed", talk(3))
    [doomed] = workspace.meet("doomed", None, status="processing")
    workspace.sandbox.faults.add(Rule(unavailable(), origin="media", path=busy.id))
    assert outcomes(workspace) == {
        mixing.id: "failed_upstream",  # its recording ended long ago
        failed.id: "failed_upstream",
        hidden.id: "failed_upstream",
        busy.id: "download_failed",
        page.id: "corrupt",
        mended.id: "corrupt",
        ready.id: "ready",
        changed.id: "ready",
        doomed.id: "failed_upstream",
    }

    workspace.sandbox.faults.clear()
    for number, artifact in enumerate((mixing, failed, hidden, mended, changed), start=10):
        workspace.world.finish_artifact(artifact.id, talk(number))
    workspace.world.delete_artifact(doomed.id)
    workspace.world.delete_artifact(ready.id, "gone")
    workspace.sandbox.access_log.clear()
    assert outcomes(workspace) == {
        mixing.id: "ready",
        failed.id: "ready",
        hidden.id: "ready",
        busy.id: "ready",
        page.id: "corrupt",
        mended.id: "ready",
        ready.id: "ready",
        changed.id: "ready",
        doomed.id: "deleted",
    }
    fetched = sorted(workspace.media_requests())
    assert fetched == sorted(mp3.id for mp3 in (mixing, failed, hidden, busy, mended, changed))

    workspace.sandbox.access_log.clear()
    workspace.sync()
    assert workspace.media_requests() == []
