"""Take the pictures of docs/component.md: a project with two archives, installed from the wheel.

Run `make pictures` and `make dev`, then `.venv/bin/python tools/take_component_pictures.py`, with Chromium on the PATH.
Look at the pictures before you commit them.
"""

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from take_pictures import IMAGES, Browser, open_browser

from recall_pipeline_tests.distribution.installed import KEYS, Trial, serve, wait_for
from recall_pipeline_tests.workspace import DAY


def main() -> None:
    """Make the project, materialize a day of everything, and take both pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not on the PATH: install it, on Debian with `apt-get install chromium`.")
    with ExitStack() as stack:
        trial = Trial(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recall-pictures-"))))
        trial.install()
        trial.make_project()
        for number, name in enumerate(KEYS):
            stack.enter_context(serve(trial, name, number))
        for name in KEYS:
            trial.dg("launch", "--job", f"{name}_sync_day", "--partition", DAY.isoformat())
        trial.dg("launch", "--assets", "meeting_hours", "--partition", DAY.isoformat())
        address = stack.enter_context(trial.webserver())
        wait_for(address)
        browser = stack.enter_context(open_browser(chromium, address))
        browser.open("locations", "existing_deployment", "Loaded")
        browser.click("Hide navigation")
        for step in (lineage, catalog):
            print(step.__doc__, flush=True)
            step(browser)


def lineage(browser: Browser) -> None:
    """The lineage: eight assets of two archives, and those of the project."""
    browser.open("asset-groups", "audio_catalog", "meeting_hours", "exchange_rate", size=(2600, 900))
    browser.picture(IMAGES / "component-lineage.png", around="foreignObject", margins=(40, 40, 40, 40))


def catalog(browser: Browser) -> None:
    """The catalog, with the assets of both archives."""
    browser.open("assets", "audio_catalog", "meeting_hours", size=(1500, 720))
    browser.picture(IMAGES / "component-catalog.png")


if __name__ == "__main__":
    main()
