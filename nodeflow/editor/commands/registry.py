"""Everything that has a name: menus, palette, shortcuts and the list of them are made of this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nodeflow.editor.canvas import editing
from nodeflow.editor.state.messages import Key
from nodeflow.editor.state.model import Editor


@dataclass(frozen=True)
class Command:
    """Something a person can ask for; `menu` is where it stands, "" for nowhere."""

    name: str
    title: str
    does: Callable[[Editor], Editor]
    shortcut: str = ""
    menu: str = ""


COMMANDS: dict[str, Command] = {}
MENUS = ("File", "Edit", "Arrange", "Network", "Play", "Lesson", "View", "Help")


def register(
    name: str, title: str, shortcut: str = "", menu: str = ""
) -> Callable[[Callable[[Editor], Editor]], Callable[[Editor], Editor]]:
    """Give a function a name by which it can be asked for, in menus, palette and by its keys."""

    def named_so(does: Callable[[Editor], Editor]) -> Callable[[Editor], Editor]:
        COMMANDS[name] = Command(name, title, does, shortcut, menu)
        return does

    return named_so


def done(editor: Editor, name: str) -> Editor:
    """Return the editor after a command, or with the reason why it cannot be."""
    command = COMMANDS.get(name)
    if command is None:
        return editor.refused(f"there is no command '{name}'")
    if editor.comparison is not None and not _only_looks(command):
        return editor.refused(f"{LOOKED_AT}: {command.title.rstrip(' …').lower()} comes after it")
    plain = replace(editor, popup=None, gesture=None)
    return editing.attempted(plain, lambda: command.does(plain))


LOOKED_AT = "a comparison is only looked at; Escape goes back to the graph"


def _only_looks(command: Command) -> bool:
    """Return whether a command leaves the graph as it is: others wait while two are compared."""
    return command.name == "cancel" or (
        command.menu in ("File", "View", "Help") and command.name not in ("revert", "map")
    )


def of_key(key: Key) -> Command | None:
    """Return the command of a shortcut."""
    return _by_shortcut().get(named(key))


def named(key: Key) -> str:
    """Return a key as shortcuts are written: Ctrl+Shift+P."""
    parts = [name for name, held in (("Ctrl", key.ctrl), ("Alt", key.alt)) if held]
    letter = key.name.upper() if len(key.name) == 1 else key.name
    # The character itself tells of Shift where it is no letter: ? is Shift and /.
    if key.shift and (len(letter) > 1 or letter.isalpha()):
        parts.append("Shift")
    return "+".join([*parts, letter])


def _by_shortcut() -> dict[str, Command]:
    return {
        one: command
        for command in COMMANDS.values()
        for one in command.shortcut.split(" or ")
        if one
    }
