"""A headless Chromium, driven over its own protocol through two pipes: nothing else is needed."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from itertools import count
from select import select

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ACTING = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
}
"""Keys to which the browser itself answers: it asks for their numbers."""
SECONDS = 30
"""How long an answer may take."""


class Browser:
    """One page of a running browser; `problems` and `requests` are what it said and asked for."""

    def __init__(self, reading, writing):
        self._reading, self._writing = reading, writing
        self._numbers = count(1)
        self._unread = b""
        self._session = None
        self.problems, self.requests = [], []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Send a command and return its answer; what happens meanwhile is noted."""
        number = self._ask(method, **params)
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']['message']}"
                return answer["result"]
            self._note(answer)

    def _ask(self, method, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        return number

    def _next(self):
        end = time.monotonic() + SECONDS
        while b"\0" not in self._unread:
            ready = select([self._reading], [], [], end - time.monotonic())[0]
            part = os.read(self._reading, 1 << 20) if ready else b""
            assert part, "Chromium ended, or does not answer"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                told = details.get("exception", {}).get("description", details["text"])
                self.problems.append(told)
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.problems.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.problems.append(params["entry"]["text"])
            case "Page.javascriptDialogOpening":  # until it is answered the browser stands still
                if params["type"] != "beforeunload":  # "Leave what is not saved?"
                    self.problems.append(f"{params['type']}: {params['message']}")
                self._ask("Page.handleJavaScriptDialog", accept=True)
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    def run(self, script):
        """Return what an expression of JavaScript comes to; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        details = answer.get("exceptionDetails", {})
        assert not details, details.get("exception", {}).get("description", details)
        return answer["result"].get("value")

    def wait(self, condition, seconds=None):
        """Wait until an expression is true."""
        end = time.monotonic() + (seconds or SECONDS)
        while not self.run(condition):
            assert time.monotonic() < end, f"it never came to be that {condition}; {self.problems}"
            time.sleep(0.01)

    def open(self, path, fragment=""):
        """Open a page of nodeflow's and wait until it shows its first step."""
        self.problems.clear()
        self.requests.clear()
        self.send("Page.navigate", url="about:blank")  # another fragment alone opens nothing
        self.requests.clear()
        self.send("Page.navigate", url=path.absolute().as_uri() + fragment)
        self.wait("document.documentElement?.dataset.ready === ''")

    def size(self, width, height, scale=1):
        """Set the size of the window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=False)  # fmt: skip

    def media(self, **features):
        """Set what the reader's system prefers, such as prefers_color_scheme="dark"."""
        found = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", features=found)

    def mouse(self, kind, x, y, **more):
        """Send what a mouse does: kind is moved, pressed, released or wheel."""
        name = "mouseWheel" if kind == "wheel" else f"mouse{kind.capitalize()}"
        button = {"button": "left", "clickCount": 1} if kind in ("pressed", "released") else {}
        self.send("Input.dispatchMouseEvent", type=name, x=x, y=y, **button, **more)

    def drag(self, start, end, steps=8):
        """Drag with the left button."""
        self.mouse("moved", *start)
        self.mouse("pressed", *start)
        for part in range(1, steps + 1):
            at = (a + (b - a) * part / steps for a, b in zip(start, end, strict=True))
            self.mouse("moved", *at, button="left", buttons=1)
        self.mouse("released", *end)

    def press(self, key, *, shift=False):
        """Press and release a key, by its name in the browser."""
        text = {"text": key} if len(key) == 1 else {}
        if key in ACTING:
            text = ACTING[key]
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 * shift,
                      **(text if kind == "keyDown" else {}))  # fmt: skip

    def box(self, selector):
        """Return left, top, width and height of an element."""
        return self.run(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )

    def picture(self, path):
        """Save what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


def executable():
    """Return the path of Chromium, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _pipe():
    """Return a pipe whose ends are not among the numbers that Chromium wants: 3 and 4."""
    ends = os.pipe()
    found = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return found


@contextmanager
def browser():
    """Start a browser, and end it."""
    reading, theirs_out = _pipe()
    theirs_in, writing = _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [
            "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--force-color-profile=srgb", f"--user-data-dir={profile}",
        ]  # fmt: skip
        # Chromium reads from 3 and writes to 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "browser", executable(), *flags],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            found = Browser(reading, writing)
            yield found
            found._session = None
            with suppress(AssertionError):
                found.send("Browser.close")
        finally:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(reading)
            os.close(writing)


started = browser
