"""The toolkits read the manifests, and each recording has the length of its catalog row, to the sample.

NeMo is too large to install: its manifest is read by the rules of NeMo's reader, `nemo/collections/common/parts/
preprocessing/manifest.py`. Lhotse imports torch, so it is in a dependency group of its own.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import soundfile

from recall_pipeline_tests.manifests.conftest import LENGTHS, Export
from recall_pipeline_tests.workspace import an_id

LHOTSE = """
import json, sys
from lhotse import RecordingSet, validate
recordings = RecordingSet.from_file(sys.argv[1])
validate(recordings, read_data=True)
print(json.dumps({r.id: [r.num_samples, r.sampling_rate, *r.load_audio().shape, r.duration] for r in recordings}))
"""
HUGGING_FACE = """
import json, sys
from importlib.util import find_spec
from pathlib import Path
from datasets import Audio, load_dataset
if find_spec("torchcodec") is None:  # importing it needs torch; for a path it does the same as this
    Audio.encode_example = lambda self, path: {"bytes": None, "path": path}
folder = Path(sys.argv[1]).parent
rows = load_dataset("audiofolder", data_dir=str(folder), split="train", cache_dir=str(folder.parent / "cache"))
rows = rows.cast_column("audio", Audio(decode=False))
print(json.dumps({r["audio_id"]: [r["audio"]["path"], r["num_samples"], r["duration_seconds"]] for r in rows}))
"""
pytestmark = pytest.mark.parametrize("copy", [False, True], ids=["in place", "copied"])


def read_by(script: str, manifest: Path) -> dict[str, Any]:
    """Run the toolkit in a process of its own, offline, in another folder than that of the manifest."""
    working_folder = manifest.parent.parent / "working_folder"
    working_folder.mkdir(exist_ok=True)
    done = subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", script, str(manifest)],
        cwd=working_folder,
        env={**os.environ, "HF_HOME": str(working_folder), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.mark.skipif(find_spec("lhotse") is None, reason="lhotse is not installed: make toolkits")
def test_lhotse_reads_its_manifest(exported: Export, copy: bool) -> None:
    read = read_by(LHOTSE, exported("lhotse", copy=copy).manifest)
    assert read == {
        an_id(f"{name} mp3"): [samples, rate_hz, channels, samples, samples / rate_hz]
        for name, (samples, rate_hz, channels) in LENGTHS.items()
    }


def test_hugging_face_datasets_reads_its_manifest(exported: Export, copy: bool) -> None:
    read = read_by(HUGGING_FACE, exported("huggingface", copy=copy).manifest)
    assert read.keys() == {an_id(f"{name} mp3") for name in LENGTHS}
    for name, (samples, rate_hz, _) in LENGTHS.items():
        path, num_samples, seconds = read[an_id(f"{name} mp3")]
        assert soundfile.info(path).frames == num_samples == samples
        assert seconds == samples / rate_hz


def test_nemo_can_read_its_manifest(exported: Export, copy: bool) -> None:
    manifest = exported("nemo", copy=copy).manifest
    for line, (samples, rate_hz, _) in zip(manifest.read_text().splitlines(), LENGTHS.values(), strict=True):
        item = json.loads(line)
        audio_file = Path(item["audio_filepath"])
        if not audio_file.is_absolute() and audio_file.parent != Path():
            audio_file = manifest.parent / audio_file
        assert soundfile.info(audio_file).frames == samples == round(item["duration"] * rate_hz)
        assert item["orig_sample_rate"] == rate_hz
