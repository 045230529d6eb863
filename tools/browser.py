"""A headless Chromium, driven through its DevTools protocol: open a page, wait for words, click, type, look."""

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE_SECONDS = 600
SETTLING_SECONDS = 3  # animations and late queries, of which no word on the page tells
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip
CLICK = """
(words => {
  const named = [...document.querySelectorAll('button, a, [role=button], [role=tab], label')]
    .filter(one => one.offsetParent && one.innerText.trim().startsWith(words) && !one.disabled)
  if (named.length) named[named.length - 1].click()
  return named.length > 0
})(%s)
"""
BOX = """
(selector => {
  const boxes = [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect())
  if (!boxes.length) return null
  const left = Math.min(...boxes.map(box => box.left)), top = Math.min(...boxes.map(box => box.top))
  return [left, top, Math.max(...boxes.map(box => box.right)), Math.max(...boxes.map(box => box.bottom))]
})(%s)
"""


@dataclass(slots=True)
class Browser:
    """One page of a running browser."""

    connection: ClientConnection
    address: str
    _calls: int = 0

    def open(self, page: str, *words: str, size: tuple[int, int] = (1500, 1000)) -> None:
        """Open a page in a window of that size, and wait until it shows all these words."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        self.call("Page.navigate", url=f"{self.address}/{page}")
        self.see(*words)

    def open_until(self, page: str, *words: str) -> None:
        """Open a page anew every half minute until it shows all these words: not every page hears how a run ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.call("Page.navigate", url=f"{self.address}/{page}")
            for _ in range(60):
                if all(word in self.text() for word in words):
                    return
                time.sleep(0.5)
        raise TimeoutError(f"page shows {words}: never; it shows {self.text()[:2000]}")

    def see(self, *words: str) -> None:
        """Wait until the page shows all these words, and has settled."""
        self._until(f"page shows {words}", lambda: all(word in self.text() for word in words))
        time.sleep(SETTLING_SECONDS)

    def miss(self, words: str) -> None:
        """Wait until the page no longer shows these words, and has settled."""
        self._until(f"page no longer shows {words!r}", lambda: words not in self.text())
        time.sleep(SETTLING_SECONDS)

    def click(self, words: str) -> None:
        """Click on the last thing whose text begins so."""
        self._until(f"{words!r} can be clicked", lambda: bool(self.evaluate(CLICK % json.dumps(words))))

    def type(self, text: str, placeholder: str) -> None:
        """Type into the field with this placeholder, in place of what it holds."""
        field = f"document.querySelector('input[placeholder={json.dumps(placeholder)}]')"
        self._until(f"there is a field {placeholder!r}", lambda: bool(self.evaluate(f"{field} !== null")))
        self.evaluate(f"{field}.focus(), {field}.select()")
        self.call("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13)

    def text(self) -> str:
        """Return all that the page shows."""
        return str(self.evaluate("document.body ? document.body.innerText : ''") or "")

    def picture(self, path: Path, around: str = "body", margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        """Take a picture of what a selector finds, and of a margin to its left, top, right, bottom."""
        left, top, right, bottom = (
            max(0, edge + sign * margin)
            for edge, sign, margin in zip(self.evaluate(BOX % json.dumps(around)), (-1, -1, 1, 1), margins, strict=True)
        )
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top, "scale": 1}
        taken = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def evaluate(self, script: str) -> Any:
        """Return the value of a script on the page; None while it has none."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the protocol."""
        self._calls += 1
        self.connection.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.connection.recv(timeout=PATIENCE_SECONDS))
            if answer.get("id") == self._calls:
                result: dict[str, Any] = answer["result"]
                return result

    def _until(self, what: str, happened: Callable[[], bool]) -> None:
        started = time.monotonic()
        while not happened():
            if time.monotonic() - started > PATIENCE_SECONDS:
                raise TimeoutError(f"{what}: never; it shows {self.text()[:2000]}")
            time.sleep(0.5)


@contextmanager
def open_browser(chromium: str, profile: Path, address: str) -> Iterator[Browser]:
    """Start Chromium with an empty profile; its pages are below `address`."""
    running = subprocess.Popen(  # noqa: S603 -- our own program
        [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_page_of(profile / "DevToolsActivePort"), max_size=None) as connection:
            browser = Browser(connection, address)
            browser.call("Page.enable")
            yield browser
    finally:
        running.terminate()
        running.wait(timeout=30)


def _page_of(port_file: Path) -> str:
    """Return where the first page of a browser that is starting can be spoken to."""
    for _ in range(10 * PATIENCE_SECONDS):
        if port_file.exists() and (lines := port_file.read_text().split()):
            pages = httpx.get(f"http://127.0.0.1:{lines[0]}/json").json()
            return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        time.sleep(0.1)
    raise TimeoutError("Chromium did not start")
