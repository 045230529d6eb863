"""Files that are lost or damaged after Recall.ai has removed the media: the last good copy stays, and is named."""

from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.storage import Layout
from recall_pipeline_tests.restoration.conftest import Loss
from recall_pipeline_tests.workspace import DAY, an_id

EARLY, MP3 = an_id("early"), an_id("early mp3 0")
SOURCE, NORMALIZED = Layout.source(DAY, EARLY, MP3), Layout.normalized(DAY, EARLY, MP3, "flac")


def cut(loss: Loss, key: str) -> None:
    """Remove the second half of a file."""
    path = loss.folder / key
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_damaged_mp3_replaces_no_normalized_file_and_an_erasure_ends_the_problem(loss: Loss) -> None:
    good = loss.content(NORMALIZED)
    cut(loss, SOURCE)
    loss.lose("audio_catalog")
    loss.sync_all()
    loss.repair()
    assert loss.content(NORMALIZED) == good
    row = loss.rows()[MP3]
    assert (row.outcome, row.audio_uri) == ("download_failed", None)
    assert (row.outcome_reason or "").endswith(": run recall-pipeline verify --repair")
    assert {key for key in (SOURCE, NORMALIZED) for line in loss.problems() if key in line} == {SOURCE, NORMALIZED}
    forget(loss.archive, plan_for_request(loss.archive, recording_id=EARLY), "lost", lambda *_: None)
    assert loss.problems() == []


def test_a_lost_normalized_file_is_rebuilt_from_the_mp3(loss: Loss) -> None:
    good = loss.content(NORMALIZED)
    loss.archive.remove(NORMALIZED)
    loss.lose("recordings", "mixed_audio")
    loss.repair()
    assert (loss.problems(), loss.content(NORMALIZED)) == ([], good)
