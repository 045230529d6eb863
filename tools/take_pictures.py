"""Take the pictures of the UI that README and docs show, all but lineage.png, which takes a transcribed demo.

`python tools/take_pictures.py`, with Chromium on the PATH, makes a demo in a folder whose name gives no machine away,
opens a real Dagster on it, and clicks in it as a person would: one day is materialized and five are backfilled on the
way, and it fails unless both end well. Look at what comes out before it is committed: what a stranger would not
understand is to be mended, not photographed.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from browser import Browser, open_browser

from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.days import utc_now
from recall_pipeline.errors import UsageError

IMAGES = Path(__file__).parent.parent / "docs" / "images"
FOLDER = Path(tempfile.gettempdir()) / "recall"
PORT = 3166
GROUP = "asset-groups~group%3A%22recall%22"
TODAY = utc_now().date()
TELLING_DAY = TODAY - timedelta(days=3)  # of the demo: six outcomes
WARNING_DAY = TODAY - timedelta(days=2)  # a meeting that paused


def main() -> None:
    """Take every picture."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise UsageError("no Chromium on the PATH: install it, on Debian with `apt-get install chromium`")
    place = DemoFolder(FOLDER)
    run_demo(place)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        served(place),
        open_browser(chromium, Path(profile), f"http://127.0.0.1:{PORT}") as browser,
    ):
        browser.open("locations", "recall_pipeline", "Loaded")
        browser.click("Hide navigation")
        for step in (materialize_a_day, asset_graph, day, checks, plots, backfill):
            print(step.__doc__, flush=True)
            step(browser)
    shutil.rmtree(FOLDER)


def materialize_a_day(browser: Browser) -> None:
    """Materialize one day of one asset from its page, and see what comes of it beside what the demo made."""
    browser.open("assets/audio_catalog", "Materialize")
    browser.click("Materialize")
    choose(browser, WARNING_DAY.isoformat(), "1 partition")
    launch(browser, "Launch 1 run")
    browser.open_until(f"assets/audio_catalog?view=partitions&partition={WARNING_DAY}", "historical events (2)")


def backfill(browser: Browser) -> None:
    """Backfill five days of all assets from the graph, and see all of them completed."""
    browser.open(GROUP, "audio_catalog", "Materialize all")
    browser.click("Materialize all")
    choose(browser, f"[{TODAY - timedelta(days=5)}...{TODAY - timedelta(days=1)}]", "5 partitions")
    browser.picture(IMAGES / "backfill.png", around=".bp5-dialog, .bp4-dialog", margins=(40, 40, 40, 40))
    launch(browser, "Launch backfill")
    browser.open_until("runs?view=backfills", "5 partitions", "Success")


def choose(browser: Browser, partitions: str, count: str) -> None:
    """Type the partitions into the dialog that launches runs."""
    browser.see("Partition selection")
    browser.type(partitions, placeholder="No matching partitions")
    browser.see(count)


def launch(browser: Browser, words: str) -> None:
    """Click what launches the runs, and wait until the dialog has closed: Dagster has them then."""
    browser.click(words)
    browser.miss("Partition selection")


def asset_graph(browser: Browser) -> None:
    """The four assets, all days filled."""
    browser.open(GROUP, "audio_catalog", "100% filled", size=(2500, 800))
    browser.picture(IMAGES / "asset-graph.png", around="foreignObject", margins=(40, 20, 40, 20))


def day(browser: Browser) -> None:
    """What the catalog tells of one day."""
    page = f"assets/audio_catalog?view=partitions&partition={TELLING_DAY}"
    browser.open(page, "longest_meeting", "column_schema", size=(1600, 2400))
    browser.picture(IMAGES / "day.png", around="table", margins=(1600, 600, 30, 20))


def checks(browser: Browser) -> None:
    """The checks of the catalog, one of them warning."""
    browser.open("assets/audio_catalog?view=checks&checkDetail=durations_agree", "Latest execution", size=(1300, 640))
    browser.picture(IMAGES / "checks.png")


def plots(browser: Browser) -> None:
    """Numbers over days."""
    browser.open("assets/audio_catalog", "longest_meeting", size=(1300, 5000))
    browser.click("Plots")
    browser.see("highest data point")
    browser.picture(IMAGES / "plots.png", around="canvas", margins=(40, 60, 40, 20))


@contextmanager
def served(place: DemoFolder) -> Iterator[None]:
    """Run `recall-pipeline ui` on the demo until its pages can be asked for."""
    program = [sys.executable, "-m", "recall_pipeline", "ui", "--folder", str(place.folder), "--port", str(PORT)]
    ui = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own
    try:
        for _ in range(240):
            if _answers():
                break
            time.sleep(1)
        else:
            raise TimeoutError(f"recall-pipeline ui answers on port {PORT}: never")
        yield
    finally:
        ui.send_signal(signal.SIGINT)
        ui.wait(timeout=60)


def _answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/server_info").is_success
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
