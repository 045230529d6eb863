"""Take the pictures of the UI in README and docs, except lineage.png, which needs a transcribed demo.

Run `make pictures`, then `.venv/bin/python tools/take_pictures.py`, with Chromium on the PATH. It makes a demo in a
temporary folder, opens a real Dagster on it, and clicks in it: one day is materialized and five are backfilled. It
fails unless both succeed. Look at the pictures before you commit them.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.days import utc_now

IMAGES = Path(__file__).parent.parent / "docs" / "images"
FOLDER = Path(tempfile.gettempdir()) / "recall"
PORT = 3166
GROUP = "asset-groups~group%3A%22recall%22"
TODAY = utc_now().date()
DAY_OF_MANY_OUTCOMES = TODAY - timedelta(days=3)  # of the demo: six outcomes
DAY_WITH_WARNING = TODAY - timedelta(days=2)  # a meeting that paused
TIMEOUT_MS = 600_000
RELOAD_AFTER_MS = 30_000
SETTLING_MS = 3_000  # for animations and late queries, which no text on the page shows
CLICKABLE = ":is(button, a, [role=button], [role=tab], label):not(:disabled)"
BOX = """elements => {
  const boxes = elements.map(element => element.getBoundingClientRect())
  const left = Math.min(...boxes.map(box => box.left)), top = Math.min(...boxes.map(box => box.top))
  return [left, top, Math.max(...boxes.map(box => box.right)), Math.max(...boxes.map(box => box.bottom))]
}"""


@dataclass(frozen=True, slots=True)
class Browser:
    """One page of a headless Chromium, below one address."""

    page: Page

    def open(self, path: str, *words: str, size: tuple[int, int] = (1500, 1000)) -> None:
        """Open a page in a window of that size in pixels, and wait until it shows all these words."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.goto(path)
        self.see(*words)

    def open_until(self, path: str, *words: str) -> None:
        """Reload a page every half minute until it shows all these words: not every page follows the end of a run."""
        for _ in range(TIMEOUT_MS // RELOAD_AFTER_MS - 1):
            self.page.goto(path)
            try:
                self._expect(*words, timeout_ms=RELOAD_AFTER_MS)
            except AssertionError:
                continue
            return
        self._expect(*words, timeout_ms=RELOAD_AFTER_MS)

    def see(self, *words: str) -> None:
        """Wait until the page shows all these words, and has settled."""
        self._expect(*words)
        self.page.wait_for_timeout(SETTLING_MS)

    def miss(self, words: str) -> None:
        """Wait until the page no longer shows these words, and has settled."""
        expect(self.page.locator("body")).not_to_contain_text(words, use_inner_text=True, timeout=TIMEOUT_MS)
        self.page.wait_for_timeout(SETTLING_MS)

    def click(self, words: str) -> None:
        """Click the last visible element that starts with these words."""
        starts_with = re.compile(rf"^\s*{re.escape(words)}")
        self.page.locator(CLICKABLE).filter(has_text=starts_with, visible=True).last.click()

    def type(self, text: str, placeholder: str) -> None:
        """Replace the text of the field with this placeholder, and press Enter."""
        field = self.page.get_by_placeholder(placeholder, exact=True)
        field.fill(text)
        field.press("Enter")

    def picture(self, path: Path, around: str = "body", margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        """Take a picture of all elements of a selector, with margins in pixels: left, top, right, bottom."""
        edges = self.page.locator(around).evaluate_all(BOX)
        left, top, right, bottom = (
            max(0, edge + sign * margin) for edge, sign, margin in zip(edges, (-1, -1, 1, 1), margins, strict=True)
        )
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        self.page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]

    def _expect(self, *words: str, timeout_ms: int = TIMEOUT_MS) -> None:
        for text in words:
            expect(self.page.locator("body")).to_contain_text(text, use_inner_text=True, timeout=timeout_ms)


@contextmanager
def open_browser(chromium: str, address: str) -> Iterator[Browser]:
    """Start the Chromium at this path; its pages are below `address`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=f"{address}/")
        page.set_default_timeout(TIMEOUT_MS)
        yield Browser(page)
        browser.close()


def main() -> None:
    """Take every picture."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` ignores it
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not on the PATH: install it, on Debian with `apt-get install chromium`.")
    folder = DemoFolder(FOLDER)
    run_demo(folder)
    with served(folder), open_browser(chromium, f"http://127.0.0.1:{PORT}") as browser:
        browser.open("locations", "recall_pipeline", "Loaded")
        browser.click("Hide navigation")
        for step in (materialize_a_day, asset_graph, day, checks, plots, backfill):
            print(step.__doc__, flush=True)
            step(browser)
    shutil.rmtree(FOLDER)


def materialize_a_day(browser: Browser) -> None:
    """Materialize one day of one asset on its page, and wait for its second materialization."""
    browser.open("assets/audio_catalog", "Materialize")
    browser.click("Materialize")
    choose(browser, DAY_WITH_WARNING.isoformat(), "1 partition")
    launch(browser, "Launch 1 run")
    browser.open_until(f"assets/audio_catalog?view=partitions&partition={DAY_WITH_WARNING}", "historical events (2)")


def backfill(browser: Browser) -> None:
    """Backfill five days of all assets from the graph, and wait until all succeed."""
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
    """Launch the runs, and wait until the dialog has closed: then Dagster has them."""
    browser.click(words)
    browser.miss("Partition selection")


def asset_graph(browser: Browser) -> None:
    """The four assets, with all days materialized."""
    browser.open(GROUP, "audio_catalog", "100% filled", size=(2500, 800))
    browser.picture(IMAGES / "asset-graph.png", around="foreignObject", margins=(40, 20, 40, 20))


def day(browser: Browser) -> None:
    """The catalog's metadata of one day."""
    page = f"assets/audio_catalog?view=partitions&partition={DAY_OF_MANY_OUTCOMES}"
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
def served(folder: DemoFolder) -> Iterator[None]:
    """Run `recall-pipeline ui` on the demo until the block ends."""
    program = [sys.executable, "-m", "recall_pipeline", "ui", "--folder", str(folder.folder), "--port", str(PORT)]
    ui = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own
    try:
        for _ in range(240):
            if _answers():
                break
            time.sleep(1)
        else:
            raise TimeoutError(f"recall-pipeline ui does not answer on port {PORT}")
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
