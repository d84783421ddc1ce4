"""A headless Chromium over its DevTools pipe, with the standard library alone.

The browser reads commands on its descriptor 3 and writes answers and events on 4, each a JSON
object that ends in a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INSTALL = (
    "no chromium is on PATH; on Debian: apt-get install chromium, elsewhere: "
    "put chromium, google-chrome or chrome there"
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without a sandbox for root in containers; nothing but our own page from a file is opened.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)
_KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    " ": (32, " "),
    **{name: (35 + n, "") for n, name in enumerate(("End", "Home"))},
    **{f"Arrow{name}": (37 + n, "") for n, name in enumerate(("Left", "Up", "Right", "Down"))},
    "PageDown": (34, ""),
}
_CONTROL = 2
_PATIENCE = 120
# A pipe may itself be 3 or 4: both are moved out of the way first.
_AS_3_AND_4 = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(text), fcntl.F_DUPFD, 10) for text in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def executable() -> str | None:
    """The browser on PATH."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab. `problems` are errors and warnings of the console, and failed requests."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._left = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.requests: list[str] = []

    def attach(self) -> None:
        """Take the browser's first tab."""
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(t["targetId"] for t in targets if t["type"] == "page")
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its answer. Raises AssertionError if it fails."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._in], [], [], _PATIENCE)
            assert ready, f"the browser says nothing for {_PATIENCE} seconds"
            data = os.read(self._in, 1 << 20)
            assert data, "the browser ended"
            self._left += data
        text, self._left = self._left.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, told = message.get("method", ""), message.get("params", {})
        self._events.append(message)
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(str(details.get("exception", details).get("description", details)))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.problems.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.problems.append(str(told["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

    def open(self, file: Path) -> None:
        """Load a file and wait until it stands."""
        self._events.clear()
        self.send("Page.navigate", url=file.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._read()

    def ask(self, expression: str) -> Any:
        """The value of a script expression; the page is laid out before it is asked for."""
        whole = f"new Promise(r => requestAnimationFrame(() => setTimeout(() => r({expression}))))"
        found = self.send(
            "Runtime.evaluate", expression=whole, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other; `Control+End` with the control key."""
        for name in keys:
            key = name.removeprefix("Control+")
            code, text = _KEYS[key]
            pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            pressed["modifiers"] = _CONTROL if key != name else 0
            down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
            self.send("Input.dispatchKeyEvent", **down, **pressed)
            self.send("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def type(self, text: str) -> None:
        """Write text where the focus is."""
        self.send("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        place = self.ask(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        at = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **at)

    def prefer(self, scheme: str) -> None:
        """What the user prefers: `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def size(self, width: int, height: int) -> None:
        """How large the window is."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def screenshot(self) -> bytes:
        """What can be seen, as a PNG."""
        self.ask("0")
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A fresh browser with its data in `folder`; it ends with the block."""
    browser = executable()
    assert browser is not None, INSTALL
    read_commands, write_commands = os.pipe()
    read_answers, write_answers = os.pipe()

    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _AS_3_AND_4, str(read_commands), str(write_answers)),
            *(browser, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(read_commands, write_answers),
    )
    os.close(read_commands)
    os.close(write_answers)
    try:
        shown = Page(write_commands, read_answers)
        shown.attach()
        yield shown
    finally:
        os.close(write_commands)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(read_answers)
