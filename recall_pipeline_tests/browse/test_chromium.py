"""A reader in a real browser: overview, filter, day, listen from the middle, transcript, search, erased."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from recall_pipeline.catalog import CatalogRow
from recall_pipeline.storage import Archive
from recall_pipeline_tests.browse.conftest import Serve
from recall_pipeline_tests.browse.meetings import DAY, LINES, fill, note_erasure

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make pictures")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed: make pictures")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on the PATH")
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
        )
        yield browser
        browser.close()


def opened(browser: Any, client: httpx.Client, **options: Any) -> Any:
    """A page whose every error fails the test."""
    context = browser.new_context(base_url=str(client.base_url), timezone_id="Asia/Tokyo", **options)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    return page


def playing_at(page: Any, kind: str) -> float:
    """Wait until a player plays, and return its position in seconds."""
    player = f'document.querySelector("audio[data-kind={kind}]")'
    page.wait_for_function(f"() => !{player}.paused && {player}.readyState > 1")
    return float(page.evaluate(f"() => {player}.currentTime"))


def test_a_reader_looks_listens_and_finds(browser: Any, serve: Serve, archive: Archive, tmp_path: Path) -> None:
    meetings, client = fill(archive), serve(archive)
    page = opened(browser, client, viewport={"width": 1280, "height": 900})
    page.goto("/")
    page.locator("select[name=finding]").select_option("damaged_frames")
    page.get_by_role("button", name="Filter").click()
    assert "finding=damaged_frames" in page.url
    page.get_by_role("link", name="Monday 2 March 2026: 1 recordings").click()
    page.get_by_role("link", name="Notetaker of ready").click()
    assert "(18:00)" in page.inner_text("main")  # the reader's zone

    box = page.locator(".waveform svg").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + 20)
    assert 11.5 < playing_at(page, "normalized") < 16
    page.wait_for_selector(f".lines li.now:has-text('{LINES[2]}')")
    page.screenshot(path=tmp_path / "recording.png")

    page.locator(".lines li", has_text=LINES[1]).get_by_role("link").click()
    page.wait_for_selector(f".lines li.now:has-text('{LINES[1]}')")
    page.evaluate('document.querySelector("audio[data-kind=original]").play()')
    assert 4.5 < playing_at(page, "original") < 10  # where the other one was
    assert page.evaluate('document.querySelector("audio[data-kind=normalized]").paused')

    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('[role=slider]').ariaValueNow < 9")

    page.get_by_role("searchbox").fill("quarterly review")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="0:00", exact=True).click()
    assert re.search(r"t=0\.0", page.url)
    note_erasure(archive, meetings["ready"])
    assert page.reload().status == 410
    page.goto("/search?q=quarterly")
    assert "Notetaker of ready" not in page.inner_text("body")
    assert [error for error in page.errors if "410" not in error] == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_every_page_is_accessible_and_fits(
    browser: Any, client: httpx.Client, rows: dict[str, CatalogRow], scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    page = opened(browser, client, color_scheme=scheme, viewport=size, bypass_csp=True)
    for path in ("/", f"/days/{DAY}", *(f"/days/{DAY}/{rows[name].recording_id}" for name in ("ready", "corrupt")),
                 "/search?q=quarterly"):  # fmt: skip
        page.goto(path)
        found = axe.Axe().run(page).response["violations"]
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_without_script_everything_but_the_following_works(browser: Any, client: httpx.Client) -> None:
    page = opened(browser, client, java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="Monday 2 March 2026").click()
    page.get_by_role("link", name="Notetaker of ready").click()
    page.locator(".lines a").nth(1).click()
    assert page.locator("audio[data-kind=normalized]").get_attribute("src").endswith("#t=5.0")
    assert page.locator(".lines li.now").inner_text().endswith(LINES[1])
    assert page.get_by_role("link", name="The rows as JSON").is_visible()
