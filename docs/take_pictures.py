"""Take the pictures of the UI that docs show: `python docs/take_pictures.py`, with Chromium on the PATH.

Makes a demo in a temporary folder, opens a real Dagster on it, and looks at it as a person would. Look at what comes
out before it is committed: what a stranger would not understand is to be mended, not photographed.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.errors import UsageError

IMAGES = Path(__file__).parent / "images"
PORT = 3166
LOADING_MILLISECONDS = 30_000
PAGES = {"checks": ("assets/audio_catalog?view=checks", (1500, 700))}
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise UsageError("no Chromium on the PATH: install it, on Debian with `apt-get install chromium`")
    with tempfile.TemporaryDirectory() as folder:
        place = DemoFolder(Path(folder) / "demo")
        run_demo(place)
        with served(place):
            for name, (page, size) in PAGES.items():
                take(chromium, name, page, size)


@contextmanager
def served(place: DemoFolder) -> Iterator[None]:
    """Run `recall-pipeline ui` on the demo until its pages can be asked for."""
    program = [sys.executable, "-m", "recall_pipeline", "ui", "--folder", str(place.folder), "--port", str(PORT)]
    ui = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own
    try:
        for _ in range(120):
            if _answers():
                break
            time.sleep(1)
        time.sleep(15)  # the code location loads after the webserver answers
        yield
    finally:
        ui.send_signal(signal.SIGINT)
        ui.wait(timeout=60)


def _answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/server_info").is_success
    except httpx.HTTPError:
        return False


def take(chromium: str, name: str, page: str, size: tuple[int, int]) -> None:
    """Take one picture of one page."""
    with tempfile.TemporaryDirectory() as profile:
        program = [
            chromium, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}",
            f"--virtual-time-budget={LOADING_MILLISECONDS}", f"--screenshot={IMAGES / f'{name}.png'}",
            f"http://127.0.0.1:{PORT}/{page}",
        ]  # fmt: skip
        subprocess.run(program, check=True, capture_output=True, timeout=120)  # noqa: S603 -- our own program


if __name__ == "__main__":
    main()
