"""`nodeflow lesson`: a lesson in the terminal, and the marking of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from nodeflow.commands.graphs import load
from nodeflow.commands.groups import Group
from nodeflow.commands.options import json_option
from nodeflow.commands.output import FAULT, bold, echo, print_json, say, sentence
from nodeflow.errors import FileError, NodeflowError


class _Lessons(Group):
    """`lesson FILE` plays; `lesson check …` is a command of its own."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["play", *args]
        return super().resolve_command(context, args)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        # Options may stand before FILE: they are those of the lesson that is played.
        first = next((word for word in args if word != "--json"), "")
        if first.startswith("-") and first not in ("-h", "--help"):
            args = ["play", *args]
        return super().parse_args(context, args)


@click.group(cls=_Lessons)
@json_option
def lesson(*, as_json: bool) -> None:
    """Lead through the lesson in a graph file, or mark what came back.

    nodeflow lesson FILE [-o ANSWER] leads through the lesson in FILE; what is typed may come from
    a pipe as well, and -o writes the answer to hand in.
    """


@lesson.command("play", hidden=True)
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("-o", "--out", metavar="ANSWER", type=click.Path(), help="Write the answer there.")
@json_option
def play(file: str, *, out: str | None, as_json: bool) -> None:
    """Lead through the lesson in FILE."""
    from nodeflow.lessons import Attempt
    from nodeflow.terminal.keys import is_interactive
    from nodeflow.terminal.lesson import Lead, lines

    attempt = Attempt(load(file), file)
    Lead(attempt, quiet=as_json, keeps=out is not None or as_json).run(
        lines(prompt=is_interactive() and not as_json)
    )
    if out is not None:
        from nodeflow.files import save

        save(attempt.answered(), out)
    if as_json:
        print_json(_told(attempt, file))


def _told(attempt: Any, file: str) -> dict[str, Any]:
    done = {each.task: each for each in attempt.done}
    return {
        "file": file,
        "done": len(done),
        "of": len(attempt.lesson.tasks),
        "tasks": [
            {
                "task": index,
                "text": task.text,
                "goal": task.kind,
                "done": index in done,
                "typed": done[index].typed if index in done else None,
                "value": done[index].value if index in done else None,
                "moment": done[index].moment if index in done else None,
            }
            for index, task in enumerate(attempt.lesson.tasks)
        ],
        "unlocked": sorted(attempt.unlocked),
    }


@lesson.command()
@click.argument("original", metavar="ORIGINAL", type=click.Path())
@click.argument("answers", metavar="ANSWER…", type=click.Path(), nargs=-1, required=True)
@click.option("-o", "--out", metavar="OUT.csv", type=click.Path(),
              help="Write one row per answer and one column per task (1 done, 0 not).")  # fmt: skip
@json_option
def check(original: str, answers: tuple[str, ...], *, out: str | None, as_json: bool) -> int:
    """Mark answers: which tasks are done, what locked part was changed.

    An ANSWER is a file, or a folder with the files of a class, also in folders of their own. Every
    number is recomputed, from the graph in the file and with locked parts put back.
    """
    if out is not None and Path(out).suffix.lower() != ".csv":
        raise click.UsageError(f"--out writes a .csv, not {out}.")
    from nodeflow import disk
    from nodeflow.lessons import Marker

    if out is not None:
        with disk.writing(Path(out)):
            disk.destination(out)
    marker = Marker(load(original), original)
    found: list[dict[str, Any]] = []
    failed = False
    for file in _files(original, answers):
        try:
            marks = marker.mark(load(file), file)
        except NodeflowError as error:
            failed = True
            found.append({"file": file, "error": sentence(error)})
            if not as_json:
                say(sentence(error))
            continue
        found.append({"file": file, "error": None, **marks.as_dict()})
        if not as_json:
            from nodeflow.terminal.lesson import show_marks

            show_marks(file, marks)
    if out is not None:
        with disk.writing(Path(out)):
            disk.write(Path(out), _csv(found, len(marker.lesson.tasks)))
    if as_json:
        print_json({"lesson": original, "of": len(marker.lesson.tasks), "answers": found})
    else:
        from nodeflow.terminal.lesson import show_class

        show_class(found)
        if out is not None:
            echo(f"{bold(out)}  one row per answer")
    return FAULT if failed else 0


def _csv(found: Sequence[Mapping[str, Any]], count: int) -> bytes:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    tasks = [f"task {number}" for number in range(1, count + 1)]
    writer.writerow(["file", *tasks, "done", "of", "locked", "unlocked", "edited", "error"])
    for one in found:
        if one["error"] is not None:
            writer.writerow([one["file"], *[""] * (count + 5), one["error"]])
            continue
        done = [int(task["done"]) for task in one["tasks"]]
        notes = ["; ".join(one[name]) for name in ("locked", "unlocked", "edited")]
        writer.writerow([one["file"], *done, one["done"], one["of"], *notes, ""])
    return text.getvalue().encode("utf-8")


def _files(original: str, answers: tuple[str, ...]) -> list[str]:
    """Return the files that are named, and those below folders, without the lesson itself."""
    found: list[str] = []
    for each in answers:
        path = Path(each)
        if not path.is_dir():
            found.append(each)
            continue
        inside = [file for file in sorted(path.rglob("*")) if not file.is_dir()]
        answers_ = [file for file in inside if file.suffix.lower() in (".json", ".nodeflow")]
        if others := [file.name for file in inside if file not in answers_]:
            shown = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
            say(f"{each}: left out {shown}: an answer is a .json or .nodeflow file", bad=False)
        own = [str(file) for file in answers_ if not (file.exists() and file.samefile(original))]
        if not own:
            raise FileError("this folder has no answer: no .json and no .nodeflow", file=each)
        found += own
    return found
