"""This build and an older one, each with caches of its own, and what they do in processes.

What a build must be faster than is measured beside it, not remembered: the older source is checked
out into a temporary folder. Commands are started by `launcher`, which counts the processor time of
all their children and sees whether anything outlives them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OLD = "d85a49a"
"""The commit of the last build whose engine was one Numba kernel."""
NEW = "this build"
_TOO_LONG = 300.0
"""Seconds after which a command is ended."""


class NoOldBuild(Exception):
    """The older source cannot be had or run here; the message is the reason."""


class Failed(Exception):
    """A command did not do what it should; the message is the end of what it said."""


@dataclass(frozen=True)
class Measured:
    """What a command took."""

    seconds: float
    """On the clock."""
    processor: float
    """Processor time of the command and all its children."""
    outlived: tuple[int, ...]
    """Processes that were still there when the command had ended."""
    said: str
    """What it printed."""


@dataclass(frozen=True)
class Build:
    """A source of nodeflow, and where its caches lie."""

    name: str
    source: Path
    folder: Path
    """Where its bytecode is kept, and warm caches."""
    graphs: Path
    """Graph files that all builds can read: those of the oldest."""
    counter: list[int] = field(default_factory=lambda: [0])

    def run(self, *arguments: str, cold: bool = False) -> Measured:
        """Run Python with this nodeflow; `cold` gives it an empty cache of machine code.

        Bytecode is always at hand, as it is where a package was installed.
        """
        self.counter[0] += 1
        cache = self.folder / (f"cold{self.counter[0]}" if cold else "warm")
        environment = {**os.environ, "PYTHONPATH": str(self.source), "PYTHONSAFEPATH": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment |= {
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
            "NODEFLOW_CACHE": str(cache),
            "NUMBA_CACHE_DIR": str(cache),
        }
        command = [sys.executable, *arguments]
        launcher = [sys.executable, "-E", str(Path(__file__).with_name("launcher.py"))]
        try:
            found = subprocess.run(
                [*launcher, str(_TOO_LONG), *command],
                env=environment, cwd=self.source, capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            if cold:
                shutil.rmtree(cache, ignore_errors=True)
        try:
            told = json.loads(found.stdout)
        except ValueError:
            told = {"code": found.returncode or 1}
        if told["code"]:
            last = found.stderr.strip().rpartition("\n")[2]
            shown = " ".join(Path(argument).name for argument in arguments)
            raise Failed(f"{self.name}: python {shown} ended with {told['code']}: {last}")
        return Measured(told["seconds"], told["processor"], tuple(told["outlived"]), found.stderr)

    def inside(self, task: str, *arguments: object, cold: bool = False) -> Measured:
        """Do one of the tasks of `inside` in a process of its own."""
        script = str(Path(__file__).with_name("inside.py"))
        return self.run(script, task, *map(str, arguments), cold=cold)

    def told(self, task: str, *arguments: object) -> Any:
        """Do one of the tasks of `inside`, and return what it told."""
        said = self.inside(task, *arguments).said
        return json.loads(said.strip().rpartition("\n")[2])


@contextmanager
def this_build() -> Iterator[Build]:
    """Yield this build, with caches in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="nodeflow-bench-") as name:
        yield Build(NEW, ROOT, Path(name), ROOT / "graphs")


@contextmanager
def builds(notes: list[str], *, quick: bool = False) -> Iterator[list[Build]]:
    """Yield this build and the old one; where that is not to be had, this one and a note.

    `quick` is content with this one, for the old one compiles for a quarter of a minute.
    """
    if quick:
        with this_build() as only:
            yield [only]
        return
    with tempfile.TemporaryDirectory(prefix="nodeflow-bench-") as name:
        folder = Path(name)
        source = folder / "source"
        try:
            _check_out(source)
        except NoOldBuild as reason:
            notes.append(f"without the build {OLD}: {reason}")
            yield [Build(NEW, ROOT, folder / "new", ROOT / "graphs")]
            return
        graphs = source / "graphs"
        try:
            yield [
                Build(NEW, ROOT, folder / "new", graphs),
                Build(OLD, source, folder / "old", graphs),
            ]
        finally:
            _git("worktree", "remove", "--force", str(source))


def _check_out(source: Path) -> None:
    if importlib.util.find_spec("numba") is None:
        raise NoOldBuild("it needs numba, which `pip install -e '.[dev]'` brings")
    if shutil.which("git") is None:
        raise NoOldBuild("git is not installed")
    if _git("cat-file", "-e", f"{OLD}^{{commit}}").returncode:
        raise NoOldBuild(
            "this copy of the repository does not have that commit; `git fetch --unshallow` "
            "brings it"
        )
    made = _git("worktree", "add", "--detach", str(source), OLD)
    if made.returncode:
        raise NoOldBuild(f"git could not check it out ({made.stderr.strip().splitlines()[-1]})")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )


def outliving(measured: Sequence[Measured]) -> int:
    """Return how many processes were still there when their command had ended."""
    return sum(len(one.outlived) for one in measured)
