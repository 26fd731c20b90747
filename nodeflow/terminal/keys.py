"""Single keys from a terminal, while a program keeps running.

    with Keys(leave, back) as keys:
        key = keys.next(0.05)      # "a", "left", "enter", …; "" if none came in time

A terminal is handed back as it was: at the end, however that comes, and while the program is
suspended by Ctrl-Z.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

CLOSED = "closed"
"""What `next` returns when the terminal went away."""
_CONTROL = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace", "\x15": "clear"}
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]|O[A-Za-z])")
_SEQUENCES = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
_NUMBERED = {"1": "home", "3": "delete", "4": "end", "7": "home", "8": "end"}
_WINDOWS = {"H": "up", "P": "down", "M": "right", "K": "left", "G": "home", "O": "end"}
_WINDOWS |= {"S": "delete"}
_ESCAPE_SECONDS = 0.05
"""Seconds that the rest of a sequence may take; after that, Escape was pressed."""


def is_interactive() -> bool:
    """Return whether a person sits at both standard streams, in a terminal that can be drawn on."""
    both = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if not both or os.environ.get("TERM") == "dumb":
        return False
    from nodeflow.terminal.look import console

    return not console().legacy_windows  # the old console of Windows knows no control sequences


def first_key(text: str) -> tuple[str, int]:
    """Return the name of the first key in what a terminal sent, and how many signs it takes.

    ("", 0) if a sequence is not whole yet.
    """
    if text[:1] != "\x1b":
        return _CONTROL.get(text[:1], text[:1]), 1
    found = _SEQUENCE.match(text)
    if found is None:
        begins = len(text) == 1 or text[1] in "[O"
        return ("", 0) if begins else ("escape", 1)
    sequence = found.group()
    name = _SEQUENCES.get(sequence[-1]) or _NUMBERED.get(sequence[2:-1].partition(";")[0], "")
    return name or "unknown", len(sequence)


class _Signals:
    """Lets SIGTERM and Ctrl-Z pass by whoever has changed the terminal."""

    def __init__(self, suspend: Callable[[], None], resume: Callable[[], None]) -> None:
        self._suspend, self._resume = suspend, resume
        self._before: dict[int, Any] = {}

    def hold(self) -> None:
        self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._end)
        if sys.platform != "win32":
            self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._stop)

    def release(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @staticmethod
    def _end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    def _stop(self, number: int, _frame: object) -> None:
        self._suspend()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # stands still here until it is continued
        signal.signal(number, self._stop)
        self._resume()


if sys.platform == "win32":
    import msvcrt

    class _Terminal:
        """The console of Windows: its keys need no mode."""

        def enter(self) -> None:
            pass

        def leave(self) -> None:
            pass

        def next(self, seconds: float) -> str:
            end = time.monotonic() + seconds
            while not msvcrt.kbhit():
                if time.monotonic() >= end:
                    return ""
                time.sleep(0.01)
            sign = msvcrt.getwch()
            if sign in "\x00\xe0":
                return _WINDOWS.get(msvcrt.getwch(), "unknown")
            if sign == "\x03":
                raise KeyboardInterrupt
            return "escape" if sign == "\x1b" else _CONTROL.get(sign, sign)

else:
    import codecs
    import select
    import termios
    import tty

    class _Terminal:
        """A terminal in its mode for single keys; Ctrl-C and Ctrl-Z stay signals."""

        def __init__(self) -> None:
            self._input = sys.stdin.fileno()
            self._mode: list[Any] | None = None
            self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
            self._text = ""
            self._closed = False

        def enter(self) -> None:
            if self._mode is None:
                self._mode = termios.tcgetattr(self._input)
            tty.setcbreak(self._input, termios.TCSADRAIN)  # what was typed ahead is kept

        def leave(self) -> None:
            if self._mode is not None:
                termios.tcsetattr(self._input, termios.TCSAFLUSH, self._mode)

        def next(self, seconds: float) -> str:
            if not self._text and not self._read(seconds):
                return CLOSED if self._closed else ""
            key, length = first_key(self._text)
            while not length:
                more = self._read(_ESCAPE_SECONDS)
                key, length = first_key(self._text) if more else ("escape", 1)
            self._text = self._text[length:]
            return key

        def _read(self, seconds: float) -> bool:
            """Read what was typed within so many seconds; return whether there is any."""
            if not select.select([self._input], [], [], seconds)[0]:
                return False
            try:
                typed = os.read(self._input, 1024)
            except OSError:  # how some systems say that nobody is at the other end any more
                typed = b""
            self._closed = not typed
            text = self._decoder.decode(typed)
            self._text += text
            return bool(text)


class Keys:
    """The keys of a terminal, which `leave` puts in order and `back` takes over again."""

    def __init__(self, leave: Callable[[], None], back: Callable[[], None]) -> None:
        self._terminal = _Terminal()
        self._leave, self._back = leave, back
        self._signals = _Signals(self._hand_back, self._take)

    def __enter__(self) -> Self:
        self._signals.hold()
        self._terminal.enter()
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        self._hand_back()
        self._signals.release()

    def next(self, seconds: float) -> str:
        """Return the next key's name or sign, "" if none comes within so many seconds."""
        return self._terminal.next(max(seconds, 0.0))

    def _hand_back(self) -> None:
        try:
            self._leave()
        finally:
            self._terminal.leave()

    def _take(self) -> None:
        self._terminal.enter()
        self._back()
