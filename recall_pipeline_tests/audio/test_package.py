"""The room's door: what it offers, and what it costs to open."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from recall_pipeline import audio
from recall_pipeline.audio import Target, inspect, normalize
from recall_pipeline_tests.audio.sounds import speech, write_mp3


def test_importing_the_room_loads_no_codec() -> None:
    code = (
        "import sys, recall_pipeline.audio as room; room.run_tasks, room.Target()\n"
        "print([name for name in ('av', 'numpy', 'soxr', 'soundfile', 'lameenc', 'pydub') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("name", audio.__all__)
def test_all_that_is_offered_is_there(name: str) -> None:
    assert getattr(audio, name).__module__.startswith("recall_pipeline.audio.")


def test_what_is_not_offered_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'transcribe'"):
        audio.transcribe  # noqa: B018


def test_results_cross_process_boundaries(tmp_path: Path) -> None:
    source = write_mp3(tmp_path / "a.mp3", speech(["risk"]))
    for result in (Target(), inspect(source), normalize(source, tmp_path / "a.flac", Target())):
        assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301
