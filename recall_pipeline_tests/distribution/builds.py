"""Build the wheel and the source distribution from a copy of the files that git tracks."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from recall_pipeline_tests.citations import ROOT

PACKAGES = ("recall_pipeline", "recall_sandbox", "recall_transcripts")


@dataclass(frozen=True)
class Built:
    """What a build wrote."""

    wheel: Path
    sdist: Path


def tracked_files() -> list[str]:
    """Return the paths of all files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


def copy_checkout(folder: Path) -> None:
    """Copy what a build may read: the files that git tracks, without those of the tests."""
    for path in tracked_files():
        if not path.startswith("recall_pipeline_tests/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)


def build(folder: Path, *targets: str) -> Built:
    """Build `targets` (`-t wheel`, ...; none: both) of the checkout in `folder` into its folder `dist`."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", "dist", *targets]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603  this interpreter
    made = {path.suffix: path for path in (folder / "dist").iterdir()}
    return Built(made[".whl"], made.get(".gz", made[".whl"]))
