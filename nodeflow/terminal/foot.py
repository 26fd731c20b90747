"""Lines that stay at the foot of a terminal while others are printed above them.

Everything goes on as in any terminal: what is printed can be scrolled back to and copied. Only the
foot is drawn again, in one piece with what is printed, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class Foot:
    """The foot of a console; nothing else may print there but through `above`."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._above = ""
        self._wanted: tuple[Text, ...] = ()
        self._cursor: int | None = None
        self._drawn: tuple[list[Text], int | None, int] | None = None
        """What stands there: lines, the place of the cursor, the width of the terminal then."""

    def show(self, lines: Sequence[Text], cursor: int | None = None) -> None:
        """Show these lines; a cursor blinks at a place of the last one, if one is given."""
        self._wanted, self._cursor = tuple(lines), cursor
        drawn = self._cut()
        if self._above or drawn != self._drawn:
            self._write(self._erased() + self._taken() + self._lines(drawn))

    def above(self, what: Callable[[], None]) -> None:
        """Do what prints on the console; with the next `show` it comes to stand above the foot."""
        with self.out.capture() as printed:
            what()
        self._above += printed.get()

    def clear(self) -> None:
        """Take the foot away, and let the cursor be seen."""
        self._write(self._erased() + self._taken() + _SHOW)

    def again(self) -> None:
        """Draw it anew, wherever the cursor is."""
        self._drawn = None
        self._write(self._lines(self._cut()))

    def _cut(self) -> tuple[list[Text], int | None, int]:
        width, lines = self.out.width, []
        for text in self._wanted:
            line = text.copy()
            line.truncate(width - 1, overflow="ellipsis")
            lines.append(line)
        return lines, self._cursor, width

    def _erased(self) -> str:
        """Return what takes the drawn lines away; a narrower terminal has wrapped them."""
        if self._drawn is None:
            return ""
        lines, _, _ = self._drawn
        self._drawn = None
        width = max(self.out.width, 1)
        rows = sum(max(1, -(-line.cell_len // width)) for line in lines)
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + "\x1b[J"

    def _taken(self) -> str:
        text, self._above = self._above, ""
        return text

    def _lines(self, drawn: tuple[list[Text], int | None, int]) -> str:
        lines, cursor, _ = drawn
        self._drawn = drawn if lines else None
        with self.out.capture() as text:
            for place, line in enumerate(lines):
                self.out.print(line, end="\n" if place < len(lines) - 1 else "", no_wrap=True)
        if cursor is None:
            return text.get() + _HIDE
        right = f"\x1b[{cursor}C" if cursor else ""
        return text.get() + "\r" + right + _SHOW

    def _write(self, text: str) -> None:
        self.out.file.write(text)
        self.out.file.flush()
