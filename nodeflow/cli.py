"""The command `nodeflow`: the group of all commands, and how each of them ends.

Each command is a file in `commands/`, which is imported when it is called, so that `nodeflow` and
its `--help` answer at once. A command gives an exit code: 0 done, 1 the graph or data has a fault,
2 wrong usage (click's), 130 Ctrl-C, 141 the reader of the output went away.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from keyword import iskeyword
from typing import TextIO

import click

from nodeflow import __version__, streams
from nodeflow.commands.completing import answer as completed
from nodeflow.commands.groups import Group
from nodeflow.commands.output import (
    FAULT,
    INTERRUPTED,
    READER_GONE,
    State,
    print_error,
    refuse,
    say,
    sentence,
)
from nodeflow.errors import NodeflowError, Slower

COMMANDS = (
    "blame",
    "check",
    "collapse",
    "completion",
    "data",
    "derive",
    "diff",
    "edit",
    "explode",
    "export",
    "fold",
    "import",
    "lesson",
    "merge",
    "new",
    "nodes",
    "play",
    "plugins",
    "run",
    "samples",
    "saturated",
    "sweep",
    "train",
    "twins",
    "unfold",
    "upgrade",
    "why",
)
"""Every command: the name of its file in `commands/` and of the function there."""


class Commands(Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return a command, or None if there is none of that name."""
        if name not in COMMANDS:
            return None
        written = f"{name}_" if iskeyword(name) else name
        command: click.Command = getattr(import_module(f"nodeflow.commands.{written}"), written)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named first; of another name say which was meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            context.fail(f"No such command {name!r}.{_meant(name)}")
        return super().resolve_command(context, args)


def _meant(name: str) -> str:
    """Return what somebody may have meant who typed what is no command."""
    from difflib import get_close_matches
    from pathlib import Path

    if not name.isprintable():  # it might steer the terminal
        return ""
    if Path(name).is_file() and Path(name).suffix in (".json", ".nodeflow"):
        return f" 'nodeflow edit {name}' opens this file, 'nodeflow train {name}' trains it."
    if Path(name).is_file():
        return f" 'nodeflow data look {name}' shows how a table is read."
    close = get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="nodeflow %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Take neural networks apart: train, check and play graphs, node by node.

    Without a command the editor opens.
    """
    if context.invoked_subcommand is None:
        from nodeflow.commands.edit import edited

        context.exit(edited(None))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; no exception leaves, but for a debugger's."""
    streams.open_missing()
    if arguments is None:
        streams.take_interrupts()
    try:
        code = _whole(arguments)
    except KeyboardInterrupt:  # between two lines of ours
        code = INTERRUPTED
    if arguments is None:
        streams.ignore_interrupts()
        code = INTERRUPTED if code == 0 and streams.interrupted() else code
        if not streams.close_quietly() and code == 0:
            code = FAULT
        if code == INTERRUPTED:
            streams.leave_interrupted()
    return code


def _whole(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    state = State()
    try:
        if arguments is None and (code := completed(app)) is not None:
            return code
        with warnings.catch_warnings():
            warnings.simplefilter("always", Slower)
            warnings.showwarning = _say_slower
            return _ended(state, lambda: _invoked(state, arguments))
    except BrokenPipeError:
        streams.close_quietly()
        return READER_GONE
    except OSError:  # nothing can be said, for standard error is full or gone
        streams.close_quietly()
        return FAULT


def _say_slower(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Say in a sentence what is slower than it could be; other warnings are for developers."""
    if issubclass(category, Slower):
        say(sentence(Slower(str(message))), bad=False)
    else:
        (file or sys.stderr).write(
            warnings.formatwarning(message, category, filename, lineno, line)
        )


def _invoked(state: State, arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    state.json = "--json" in words  # for what is wrong with the words themselves
    clean = state.json and not {"-h", "--help"} & set(words)
    kept_clean = state.alone() if clean else nullcontext()
    with app.make_context("nodeflow", words, obj=state) as context, kept_clean:
        code = app.invoke(context)
    sys.stdout.flush()
    return int(code or 0)


def _ended(state: State, work: Callable[[], int]) -> int:
    """Turn whatever ends a command into an exit code and one sentence."""
    try:
        return work()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        if state.json:
            print_error(sentence(click.ClickException(error.format_message())))
        error.show()
        return error.exit_code
    except BrokenPipeError:
        raise
    except NodeflowError as error:
        return refuse(state, sentence(error), FAULT)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        place = f"{error.filename}: " if error.filename else ""
        return refuse(state, f"{place}the system refused ({reason})", FAULT)
    except (KeyboardInterrupt, click.Abort) as error:
        return refuse(state, sentence(error) or "interrupted", INTERRUPTED)
    except Exception as error:
        if streams.interrupted():  # what was being imported made another error of it
            return refuse(state, "interrupted", INTERRUPTED)
        if isinstance(error, MemoryError):
            return refuse(state, "there is not enough memory; a smaller batch needs less", FAULT)
        if os.environ.get("NODEFLOW_DEBUG"):
            raise
        about = f"{type(error).__name__}: {sentence(error)}".removesuffix(": ")
        return refuse(
            state,
            f"this is a bug of nodeflow ({about}); NODEFLOW_DEBUG=1 shows where it happened",
            FAULT,
        )
