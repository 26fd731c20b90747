"""A display of its own, a window on it in a process of its own, a real mouse and keyboard."""

import importlib.util
import json
import os
import queue
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np

SIZE = (1600, 1000)
OPENED = Path(__file__).with_name("opened.py")
ROOT = Path(__file__).parents[2]


def missing():
    """Return what is needed for these tests and not there."""
    if shutil.which("Xvfb") is None:
        return "Xvfb is missing (Debian: apt-get install xvfb libgl1-mesa-dri libx11-6)"
    for module in ("dearpygui", "Xlib"):
        # dearpygui is looked for, not imported: that needs X libraries.
        if importlib.util.find_spec(module) is None:
            return f"the Python package of '{module}' is missing"
    return None


def wait_for(holds, seconds=20.0):
    """Wait until something outside of the window holds: a file, a picture."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("that did not happen")
        time.sleep(0.02)


class Screen:
    """An X server that nobody sees."""

    def __init__(self):
        read, write = os.pipe()
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24",
             "-nolisten", "tcp"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as told:
            self.name = f":{told.readline().strip()}"
        from Xlib.display import Display

        self.display = Display(self.name)
        self.root = self.display.screen().root

    def close(self):
        self.display.close()
        self._process.terminate()
        self._process.wait(10)

    def ask_to_close(self):
        """Ask every window to close, as a window manager does."""
        from Xlib import X
        from Xlib.protocol.event import ClientMessage

        atom = self.display.intern_atom
        data = (32, [atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0])
        for window in self.root.query_tree().children:
            window.send_event(
                ClientMessage(window=window, client_type=atom("WM_PROTOCOLS"), data=data)
            )
        self.display.sync()

    def resize(self, wide, high):
        """Give every window another size, as whoever drags its edge does."""
        for window in self.root.query_tree().children:
            if window.get_attributes().map_state:
                window.configure(width=wide, height=high)
        self.display.sync()

    def picture(self):
        """Return what is on the screen: rows × columns × red, green, blue."""
        from Xlib import X

        image = self.root.get_image(0, 0, *SIZE, X.ZPixmap, 0xFFFFFFFF)
        pixels = np.frombuffer(image.data, np.uint8).reshape(SIZE[1], SIZE[0], 4)
        return pixels[:, :, 2::-1].copy()


def save_png(pixels, path):
    """Write a picture without a library for pictures."""
    high, wide, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 3)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


class Mouse:
    """Buttons and keys as the hardware would press them."""

    def __init__(self, screen):
        from Xlib import XK, X
        from Xlib.ext import xtest

        self._display, self._x, self._fake, self._keysyms = screen.display, X, xtest.fake_input, XK

    def _do(self, *event, **more):
        self._fake(self._display, *event, **more)
        self._display.sync()

    def raw(self, kind, *what):
        """Do what the hardware tells: a move, a press, a release, a key, a key up."""
        events = self._x.ButtonPress, self._x.ButtonRelease, self._x.KeyPress, self._x.KeyRelease
        if kind == "move":
            self.move(*what)
            return
        event = events[("press", "release", "key", "key up").index(kind)]
        self._do(event, self._code(*what) if kind.startswith("key") else what[0])

    def move(self, x, y):
        self._do(self._x.MotionNotify, x=round(x), y=round(y))

    def press(self, button=1):
        self._do(self._x.ButtonPress, button)

    def release(self, button=1):
        self._do(self._x.ButtonRelease, button)

    def click(self, x, y, button=1, *, times=1):
        self.move(x, y)
        time.sleep(0.1)
        for _ in range(times):
            self.press(button)
            time.sleep(0.03)
            self.release(button)
            time.sleep(0.03)

    def wheel(self, x, y, clicks):
        self.move(x, y)
        time.sleep(0.1)
        for _ in range(abs(clicks)):
            self.press(4 if clicks > 0 else 5)
            self.release(4 if clicks > 0 else 5)
            time.sleep(0.02)

    def drag(self, start, end, button=1, *, steps=8):
        self.move(*start)
        time.sleep(0.1)
        self.press(button)
        time.sleep(0.05)
        for step in range(1, steps + 1):
            share = step / steps
            self.move(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))
            time.sleep(0.02)
        time.sleep(0.05)
        self.release(button)

    def _code(self, name):
        return self._display.keysym_to_keycode(self._keysyms.string_to_keysym(name))

    def key(self, name, *held):
        """Press a key by the name of its keysym, others held down."""
        for modifier in held:
            self._do(self._x.KeyPress, self._code(modifier))
        if held:
            time.sleep(0.04)
        self._do(self._x.KeyPress, self._code(name))
        time.sleep(0.012)
        self._do(self._x.KeyRelease, self._code(name))
        for modifier in reversed(held):
            self._do(self._x.KeyRelease, self._code(modifier))
        time.sleep(0.01)

    def tap(self, *names, held=()):
        """Press and release keys one after the other without a pause: several may come in a frame.

        The same key twice would be taken for one that is held down.
        """
        press, release = self._x.KeyPress, self._x.KeyRelease
        for name in held:
            self._fake(self._display, press, self._code(name))
        for name in names:
            self._fake(self._display, press, self._code(name))
            self._fake(self._display, release, self._code(name))
        for name in reversed(held):
            self._fake(self._display, release, self._code(name))
        self._display.sync()

    def write(self, text):
        names = {
            " ": "space", "_": "underscore", ".": "period", "-": "minus", ",": "comma",
            "[": "bracketleft", "]": "bracketright", "/": "slash",
            ":": "colon", "?": "question",
        }  # fmt: skip
        for letter in text:
            shifted = letter.isupper() or letter in "_:?"
            self.key(names.get(letter, letter), *(["Shift_L"] if shifted else []))


class Opened:
    """A window in a process of its own; it tells each state of its editor."""

    def __init__(self, screen, *arguments, cwd=None, **environment):
        env = {**os.environ, "DISPLAY": screen.name, "PYTHONPATH": str(ROOT), **environment}
        self.screen = screen
        self.process = subprocess.Popen(
            [sys.executable, str(OPENED), *map(str, arguments)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
        )  # fmt: skip
        self._told = queue.SimpleQueue()
        self.state = {}
        self.requests = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self._told.put(line)
        self._told.put(None)

    def until(self, holds, seconds=20.0):
        """Wait for a state for which `holds` is true, and return it."""
        end = time.monotonic() + seconds
        while not (self.state and holds(self.state)):
            try:
                line = self._told.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                short = {key: value for key, value in self.state.items() if key != "places"}
                raise AssertionError(f"that did not happen; the last state: {short}") from None
            if line is None:
                raise AssertionError(f"the window is gone: {self.process.stderr.read()}")
            self._hear(json.loads(line))
        return self.state

    def _hear(self, told):
        """Take what the window told; return how it is if that is as before."""
        if "request" in told:
            self.requests.append(told["request"])
        elif "frame" in told:
            return told["frame"]
        else:
            self.state = told
        return ""

    def settled(self, frames=6):
        """Return the state when nothing changed for so many frames: a slow machine takes longer.

        A window that sleeps shows none, and has nothing to do. What was pressed just now is
        answered in the second frame from here, at the latest: before that no sleep counts.
        """
        how = ""
        while not self._told.empty():
            how = self.told()
        same, end = 0, time.monotonic() + 20
        while same < frames and time.monotonic() < end:
            try:
                how = self.told(0.5)
            except queue.Empty:
                if how == "asleep":  # and nothing has woken it since
                    break
                continue  # others have the processor
            if how == "asleep":
                if same > 1:
                    break
            else:
                same = same + 1 if how == "as before" and not self.state["busy"] else 0
        return self.state

    def stuck(self):
        """End a window that shows no frame; return what it wrote, and where each thread was."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(1)
        self.kill()
        return f"the window shows no frame:\n{self.process.stderr.read()}"

    def told(self, seconds=1.0):
        """Hear one line more; return how the window is, if it is as before or sleeps."""
        line = self._told.get(timeout=seconds)
        if line is None:
            raise AssertionError(f"the window is gone: {self.process.stderr.read()}")
        return self._hear(json.loads(line))

    def on_screen(self, x, y):
        """Return where a point of the canvas is on the screen."""
        camera, area = self.state["camera"], self.state["area"]
        return (
            (x - camera[0]) * camera[2] + area[0],
            (y - camera[1]) * camera[2] + area[1],
        )

    def middle(self, node):
        """Return the middle of what is seen of a node's header on the screen."""
        x, y, wide, _ = self.state["nodes"][node]
        (left, top), (right, _) = self.on_screen(x, y + 13), self.on_screen(x + wide, y + 13)
        begin, _, width, _ = self.state["area"]
        start, end = max(left, begin), min(right, begin + width)
        return ((start + end) / 2 if end - start > 20 else (left + right) / 2), top

    def sees(self, node):
        """Return whether the whole of a node lies on the canvas that is seen."""
        x, y, wide, high = self.state["nodes"][node]
        left, top, across, down = self.state["area"]
        (x0, y0), (x1, y1) = self.on_screen(x, y), self.on_screen(x + wide, y + high)
        return left < x0 and x1 < left + across and top < y0 and y1 < top + down

    def show(self, node, mouse):
        """Zoom out until a node is seen; return how many keys that took."""
        for keys in range(8):
            if self.sees(node):
                return keys
            zoom = self.state["camera"][2]
            mouse.key("minus")
            self.until(lambda state, zoom=zoom: state["camera"][2] < zoom)
            self.settled()
        raise AssertionError(f"{node} is not to be seen")

    def wait(self, name, seconds=20.0):
        """Wait until something to click is there, and return its middle."""
        x, y, wide, high = self.until(lambda state: name in state["places"], seconds)["places"][
            name
        ]
        return x + wide / 2, y + high / 2

    def scrolled_to(self, place, mouse):
        """Scroll the panel at the right until something is in view, and return its middle."""
        left, top, wide, high = self.state["area"]
        for _ in range(30):
            found = self.settled()["places"].get(place)
            if found and top + 20 < found[1] < top + high - 40:
                return self.wait(place)
            mouse.wheel(left + wide + 120, top + high * 0.85, -3)
        raise AssertionError(f"{place} is not to be seen")

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()
