"""Take the picture of the archive page in README and docs/page.md, from the demo in a temporary folder.

Run `make pictures`, then `.venv/bin/python tools/take_page_picture.py`, with Chromium on the PATH. With `--demo FOLDER`
it shows the demo that is there. Look at the picture before you commit it.
"""

import argparse
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from recall_pipeline.browse import ArchivePage, page_server
from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "page.png"
SIZE = {"width": 1100, "height": 760}


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path)
    chosen = parser.parse_args().demo
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not on the PATH: install it, on Debian with `apt-get install chromium`.")
    with tempfile.TemporaryDirectory() as folder:
        demo = DemoFolder.at(chosen or Path(folder) / "demo")
        if chosen is None:
            run_demo(demo)
        with served(demo) as address:
            take(chromium, address)


@contextmanager
def served(demo: DemoFolder) -> Iterator[str]:
    """Serve the archive page of a demo, and give its address."""
    page, listener = (
        ArchivePage(open_archive(Settings(storage_url=str(demo.data)))),
        socket.create_server(("127.0.0.1", 0)),
    )
    server = page_server(page)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        page.close()


def take(chromium: str, address: str) -> None:
    """Filter the overview by a finding, and take a picture of the recording that has it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, timezone_id="UTC")  # type: ignore[arg-type]
        page.goto(address)
        page.locator("[data-refresh]").wait_for(state="detached")
        page.locator("select[name=finding]").select_option("duration_differs")
        page.get_by_role("button", name="Filter").click()
        page.locator("td.complete a, td.missing a").first.click()
        page.locator("tbody th a").first.click()
        page.locator("summary").click()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
