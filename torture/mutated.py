"""Files that are spoilt at random, of all formats that nodeflow opens, taken through every stage.

Whatever is in a file: a graph comes of it or one sentence, in 2 s and 0.2 ms a node, and in 500 MB.
Many files are opened by each process, and a watch beside them sees what ends one or keeps it busy.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from torture.openings import Format, formats
from torture.report import Report

_SECONDS, _A_NODE = 2.0, 0.0002
_ROOM = 500 * 2**20
_BUDGET = 5.0
"""Seconds of the processor for one file; what comes after them is left out, and counted."""
_STUCK = 60.0
"""Seconds of the processor after which a stage is given up; many times as many on the clock."""
_TOLD = 200
"""Files after which a process tells what it found."""
_SAID = 5000
"""A long search says at so many files where it is, and a fault as soon as it is known."""
_QUICK = ("load", "draw", "read", "look", "weights", "offer")


class Stuck(BaseException):
    """A stage took so long that it was given up; no `except Exception` may keep it."""


def tortured(
    seconds: float,
    *,
    most: int = 100_000,
    seed: int = 0,
    only: str = "",
    workers: int = 0,
    clock: bool = True,
) -> Report:
    """Spoil files for so long, or so many; of the formats whose name has `only` in it.

    Without `clock` no fault is one of seconds, and no file is left before its last stage.
    """
    if workers:
        return _crewed(seconds, most, seed, (only, clock), workers)
    report = Report("mutated files")
    end = time.monotonic() + seconds
    with _Opener(only, clock=clock) as opener:
        for number in range(most):
            if time.monotonic() >= end:
                break
            opener.open(seed, number, report)
    return report


def shown(seed: int, number: int) -> None:
    """Open one file, and show what each stage says or where it fails."""
    with _Opener() as opener:
        format_, data, dice = opener.spoilt(seed, number)
        path = Path(tempfile.gettempdir()) / f"mutated-{seed}-{number}{format_.ending}"
        path.write_bytes(data)
        print(f"{format_.name}: {path}, {len(data):,} bytes")
        for name, stage in format_.stages(data, path, dice):
            begin = time.process_time()
            try:
                stage()
                said = ""
            except Exception as error:  # noqa: BLE001  it is shown
                said = str(error)
                if not isinstance(error, _refusals()):
                    said = traceback.format_exc()
            print(f"  {name}, {time.process_time() - begin:.3f} s: {said}")


def _refusals() -> type[Exception]:
    from nodeflow.errors import NodeflowError

    return NodeflowError


class _Opener:
    """Opens spoilt files one after another, in a folder of its own."""

    def __init__(self, only: str = "", *, clock: bool = True) -> None:
        self._clock = clock
        self.formats = [one for one in formats() if only in one.name]
        self._ends = list(accumulate(one.share for one in self.formats))
        self._folder = tempfile.TemporaryDirectory(prefix="torture")

    def __enter__(self) -> Self:
        warnings.simplefilter("ignore")
        self._before = signal.signal(signal.SIGVTALRM, _give_up)
        self._home = {name: os.environ.get(name) for name in _HOMES}
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGVTALRM, self._before)
        for name, value in self._home.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._folder.cleanup()

    def spoilt(self, seed: int, number: int) -> tuple[Format, bytes, random.Random]:
        """Return the file of a number, and the dice with which it is opened."""
        dice = random.Random(f"{seed}:{number}")
        format_ = self.formats[bisect(self._ends, dice.randrange(self._ends[-1]))]
        return format_, format_.spoil(dice.choice(format_.starts()), dice), dice

    def open(self, seed: int, number: int, report: Report) -> None:
        """Take the file of a number through all stages."""
        format_, data, dice = self.spoilt(seed, number)
        path = Path(self._folder.name) / f"spoilt{format_.ending}"
        path.write_bytes(data)
        how = f"--seed {seed} --file {number} ({format_.name})"
        report.count("files")
        report.count(_group(format_))
        nodes = data.count(b'"type"')
        begin = time.process_time()
        stages = iter(format_.stages(data, path, dice))
        while (found := _next(stages, report, how)) is not None:
            name, stage = found
            if self._clock and time.process_time() - begin > _BUDGET:
                report.count("left out after 5 s")
                break
            took = _through(f"{format_.name}, {name}", stage, report, how)
            if not self._clock:
                continue
            if name in _QUICK and took > _SECONDS + _A_NODE * nodes:
                report.fault(f"{format_.name}, {name}: slow", f"{how} took {took:.1f} s")
            if took > 20:
                report.fault(f"{format_.name}, {name}: very slow", f"{how} took {took:.1f} s")


_HOMES = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")


def _group(format_: Format) -> str:
    """Return the word under which files of a format are counted: tables are one."""
    return {"table": "tables", "import": "imports"}.get(format_.name.split()[0], format_.name)


def _next(stages: Iterator[Any], report: Report, how: str) -> Any:
    try:
        return next(stages, None)
    except Exception as error:  # noqa: BLE001  a fault of the search itself is one as well
        report.raised("between stages", error, how)
        return None


def _give_up(_number: int, _frame: Any) -> None:
    raise Stuck


def _through(title: str, stage: Any, report: Report, how: str) -> float:
    """Do a stage, and return the seconds of the processor that it took."""
    from nodeflow.errors import NodeflowError

    before, room = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_VIRTUAL, _STUCK)
    try:
        stage()
        report.count("stages passed")
    except NodeflowError as error:
        report.count("refused in a sentence")
        if "\n" in str(error) or not str(error) or len(str(error)) > 1000:
            report.fault(f"{title}: not one sentence: {str(error)[:80]!r}", how)
    except Stuck as error:
        places = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)[1:4]
        ]
        report.fault(f"{title}: does not end in {_STUCK:.0f} s, in {', '.join(places)}", how)
    except Exception as error:  # noqa: BLE001  this is what is looked for
        report.raised(title, error, how)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    took = time.process_time() - before
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - room) * 1024
    if grown > _ROOM:
        report.fault(f"{title}: large", f"{how} took {grown >> 20} MB")
    return took


# --- many processes -----------------------------------------------------------------------------


def _work(
    place: int, seed: int, which: tuple[str, bool], end: float, shared: Any, out: Any
) -> None:
    """Open files until there are no more; each process takes the next number."""
    counter, most, at = shared
    report = Report("mutated files")
    told = time.monotonic()
    with _Opener(which[0], clock=which[1]) as opener:
        while time.monotonic() < end:
            with counter.get_lock():
                number = counter.value
                counter.value += 1
            if number >= most:
                break
            at[place] = number
            opener.open(seed, number, report)
            if report.counts["files"] >= _TOLD or time.monotonic() > told + 5:
                out.put((place, report))
                report, told = Report("mutated files"), time.monotonic()
    at[place] = -1
    out.put((place, report))
    out.put((place, None))


def _crewed(seconds: float, most: int, seed: int, which: tuple[str, bool], workers: int) -> Report:
    """Have some processes open files; one that dies is told, and another goes on."""
    context = multiprocessing.get_context("spawn")
    whole = Report("mutated files")
    shared = (context.Value("q", 0), most, context.Array("q", [-1] * workers))
    out = context.Queue()
    end = time.monotonic() + seconds

    def begun(place: int) -> Any:
        given = (place, seed, which, end, shared, out)
        process = context.Process(target=_work, args=given, daemon=True)
        process.start()
        return process

    crew = {place: begun(place) for place in range(workers)}
    since = {place: (-1, time.monotonic()) for place in crew}
    while crew:
        _gather(out, whole, crew)
        for place, process in list(crew.items()):
            number, now = shared[2][place], time.monotonic()
            if since[place][0] != number:
                since[place] = number, now
            stuck = number >= 0 and now - since[place][1] > 20 * _STUCK
            if stuck:
                process.kill()
                process.join()
            if process.is_alive() or place not in crew:
                continue
            _gather(out, whole, crew)
            if place not in crew:
                continue
            ended = "does not end" if stuck else f"ends the process ({process.exitcode})"
            whole.fault(f"a file {ended}", f"--seed {seed} --file {number}")
            shared[2][place] = -1
            since[place] = -1, now
            crew[place] = begun(place)
    return whole


def _gather(out: Any, whole: Report, crew: dict[int, Any]) -> None:
    """Take what processes told, for a moment."""
    from queue import Empty

    while True:
        try:
            place, report = out.get(timeout=0.2)
        except Empty:
            return
        if report is None:
            crew.pop(place).join()
            continue
        before = whole.counts["files"]
        for kind in report.faults.keys() - whole.faults.keys():
            print(f"… {kind}\n    {report.faults[kind]}", file=sys.stderr, flush=True)
        whole.take(report)
        if whole.counts["files"] // _SAID > before // _SAID:
            print(f"… {whole.counts['files']:,} files", file=sys.stderr, flush=True)
