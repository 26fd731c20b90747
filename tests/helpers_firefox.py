"""A headless Firefox, driven over its own protocol (Marionette): nothing else is needed."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

NAMES = ("firefox-esr", "firefox")
SECONDS = 90
"""How long starting, or an answer, may take."""


class Firefox:
    """One page of a running Firefox."""

    def __init__(self, connection):
        self.problems = []  # they are not told
        self._connection = connection
        self._numbers = count(1)
        self._unread = b""
        self._message()  # what it says of itself
        self.send("WebDriver:NewSession", capabilities={})
        self.send("WebDriver:SetTimeouts", script=SECONDS * 1000)

    def send(self, command, **params):
        """Send a command and return its answer."""
        number = next(self._numbers)
        text = json.dumps([0, number, command, params]).encode()
        self._connection.sendall(b"%d:%s" % (len(text), text))
        while True:
            _, answered, error, found = self._message()
            if answered == number:
                assert error is None, f"{command}: {error['message']}"
                return found

    def _message(self):
        while b":" not in self._unread:
            self._read()
        size, _, self._unread = self._unread.partition(b":")
        while len(self._unread) < int(size):
            self._read()
        text, self._unread = self._unread[: int(size)], self._unread[int(size) :]
        return json.loads(text)

    def _read(self):
        part = self._connection.recv(1 << 20)
        assert part, "Firefox ended"
        self._unread += part

    def run(self, script):
        """Return what an expression of JavaScript comes to; a promise is awaited."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => ({script}))().then((value) => done([value ?? null]),"
            " (error) => done(String(error)));"
        )
        found = self.send(
            "WebDriver:ExecuteAsyncScript", script=wrapped, args=[], sandbox=None, newSandbox=False
        )["value"]
        assert isinstance(found, list), found
        return found[0]

    def open(self, path):
        """Open a page of nodeflow's and wait until it shows its first step."""
        self.send("WebDriver:Navigate", url=path.absolute().as_uri())
        end = time.monotonic() + SECONDS
        while not self.run("document.documentElement.dataset.ready === ''"):
            assert time.monotonic() < end, "the page is not ready"
            time.sleep(0.05)


def executable():
    """Return the path of Firefox, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started():
    """Start a Firefox, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile"
        profile.mkdir()
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n', "utf-8")
        process = subprocess.Popen(
            [executable(), "--headless", "--marionette", "--profile", str(profile), "--no-remote"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": folder, "MOZ_HEADLESS": "1"},
        )
        try:
            with _connected(port) as connection:
                found = Firefox(connection)
                yield found
                with suppress(AssertionError, OSError):
                    found.send("Marionette:Quit", flags=["eForceQuit"])
        finally:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _connected(port):
    end = time.monotonic() + SECONDS
    while True:
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
            break
        assert time.monotonic() < end, "Firefox does not listen"
        time.sleep(0.1)
    with connection:
        yield connection
