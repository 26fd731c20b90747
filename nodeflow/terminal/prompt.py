"""A line that a person types at the foot of the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

Fault = tuple[str, int | None]
"""What is wrong with what was typed, and at which sign if that is known."""
NO_FAULT: Fault = ("", None)


@dataclass
class Prompt:
    """What is being typed; `done` gets it at Enter, and None at Escape.

    Where that finds a fault, the line can be mended; without one the typing has ended.
    """

    label: str
    done: Callable[[str | None], Fault]
    example: str = ""
    text: str = ""
    place: int = 0
    fault: str = ""

    def press(self, key: str) -> bool:
        """Take a key; return whether the typing has ended."""
        match key:
            case "enter" | "escape":
                self.fault, place = self.done(None if key == "escape" else self.text)
                self.place = len(self.text) if place is None else min(place, len(self.text))
                return not self.fault
            case "left" | "right":
                step = 1 if key == "right" else -1
                self.place = min(max(self.place + step, 0), len(self.text))
            case "home" | "end":
                self.place = 0 if key == "home" else len(self.text)
            case "clear":
                self.text, self.place = "", 0
            case "backspace" if self.place:
                self.text = self.text[: self.place - 1] + self.text[self.place :]
                self.place -= 1
            case "delete":
                self.text = self.text[: self.place] + self.text[self.place + 1 :]
            case _ if len(key) == 1 and key.isprintable():
                self.text = self.text[: self.place] + key + self.text[self.place :]
                self.place += 1
        return False

    def line(self, width: int) -> tuple[Text, int]:
        """Return the line as it is drawn, and where its cursor stands; long ones are cut before."""
        head = f" {self.label} "
        before, after = self.text[: self.place], self.text[self.place :]
        room = max(width - cell_len(head) - 2, 4)
        while cell_len(before) > room:
            before = before[1:]
        drawn = Text.assemble((head, "bold"), before, after)
        if not self.text:
            drawn.append(self.example, "dim")
        return drawn, cell_len(head) + cell_len(before)
