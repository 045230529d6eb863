"""The package's exports, and the cost of importing it."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from recall_pipeline import audio
from recall_pipeline.audio import Target, inspect, normalize
from recall_pipeline_tests.audio.sounds import speech, write_mp3


def test_importing_the_package_loads_no_codec() -> None:
    code = (
        "import sys, recall_pipeline.audio as audio; audio.run_tasks, audio.Target()\n"
        "print([name for name in ('av', 'numpy', 'soxr', 'soundfile', 'lameenc', 'pydub') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("name", audio.__all__)
def test_every_exported_name_exists(name: str) -> None:
    assert getattr(audio, name).__module__.startswith("recall_pipeline.audio.")


def test_a_name_that_is_not_exported_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'transcribe'"):
        audio.transcribe  # noqa: B018


def test_results_can_be_pickled(tmp_path: Path) -> None:
    source = write_mp3(tmp_path / "a.mp3", speech(["risk"]))
    for result in (Target(), inspect(source), normalize(source, tmp_path / "a.flac", Target())):
        assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301
