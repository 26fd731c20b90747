"""The rows of a sweep: as a table, in files, and counted over the seeds."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nodeflow.disk import write, writing
from nodeflow.errors import FileError
from nodeflow.files.arrays import packed
from nodeflow.sweeps.cases import Plan
from nodeflow.sweeps.rows import CURVES, RESULTS, Row, Rows

ENDINGS = (".csv", ".json", ".npz")
DRAWN = (".svg", ".png", ".html")
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Summary:
    """One combination over all its seeds."""

    settings: Mapping[str, Any]
    runs: int
    failed: int
    quartiles: Mapping[str, tuple[float, float, float] | None]
    """First quartile, median and third quartile of each result, over the runs that have it."""
    reached: int | None
    """How many runs met the condition; None without one."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found: dict[str, Any] = {**self.settings, "runs": self.runs, "failed": self.failed}
        if self.reached is not None:
            found["reached"] = self.reached
        for name, three in self.quartiles.items():
            found[name] = None if three is None else dict(zip(_NAMES, three, strict=True))
        return found


_NAMES = ("q1", "median", "q3")


@dataclass(frozen=True)
class Sweep(Sequence[dict[str, Any]]):
    """What came of many runs: one row per run, in the order of values and seeds."""

    plan: Plan
    found: Rows

    @property
    def columns(self) -> list[str]:
        """Names of the columns: settings, seed, results, seconds, why."""
        until = ["epochs_to"] if self.plan.until is not None else []
        return [*self.plan.names, "seed", *RESULTS, *until, "seconds", "why"]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows that are there, as dictionaries."""
        return list(self._rows())

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of runs that failed; `why` says why."""
        return [self._row(number) for number in self.found.failed]

    @property
    def is_whole(self) -> bool:
        """Whether every run of the plan is there."""
        return len(self.found) == len(self.plan)

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the rows in order."""
        return self._rows()

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the row at a place in that order, or those of a slice."""
        numbers = self.found.numbers[place]
        if isinstance(place, slice):
            return [self._row(number) for number in numbers.tolist()]
        return self._row(int(numbers))

    def _rows(self) -> Iterator[dict[str, Any]]:
        seeds, columns = self.plan.seeds, self.columns
        settings: dict[str, Any] = {}
        at = -1
        for number in self.found:
            combination, place = divmod(number, len(seeds))
            if combination != at:
                settings, at = self.plan.settings(combination), combination
            row = {**settings, "seed": seeds[place], **self.found[number].values}
            yield {name: row.get(name) for name in columns}

    def _row(self, number: int) -> dict[str, Any]:
        combination, place = divmod(number, len(self.plan.seeds))
        row = {
            **self.plan.settings(combination), "seed": self.plan.seeds[place],
            **self.found[number].values,
        }  # fmt: skip
        return {name: row.get(name) for name in self.columns}

    # -- over the seeds

    def summaries(self) -> list[Summary]:
        """Return median and quartiles over the seeds, a combination each."""
        count = len(self.plan.seeds)
        failed = Counter(number // count for number in self.found.failed)
        return [
            self._summary(combination, failed[combination])
            for combination in range(self.plan.combinations)
            if self.found.count(combination * count, (combination + 1) * count)
        ]

    def _summary(self, combination: int, failed: int) -> Summary:
        count = len(self.plan.seeds)
        begin, end = combination * count, (combination + 1) * count
        names = ["cost", "train_accuracy", "test_cost", "test_accuracy"]
        names += ["epochs_to"] if self.plan.until is not None else []
        quartiles: dict[str, tuple[float, float, float] | None] = {}
        for name in names:
            there = self.found.column(name, begin, end)
            three = np.quantile(there, QUARTILES).tolist() if there.size else None
            quartiles[name] = None if three is None else (three[0], three[1], three[2])
        reached = None
        if self.plan.until is not None:
            reached = self.found.column("epochs_to", begin, end).size
        settings = self.plan.settings(combination)
        return Summary(settings, self.found.count(begin, end), failed, quartiles, reached)

    # -- in files

    def save(self, out: Path) -> list[Path]:
        """Write all rows by OUT's ending, whole or not at all; return the files.

        CSV and JSON hold one row per run; JSON has the curves in each row as `history`, CSV in a
        file of its own, NAME.curves.csv, one line per epoch. NPZ holds each column as an array
        (texts as texts, no value as NaN), and the curves as arrays of (runs, epochs), NaN behind a
        run's end. SVG and PNG are a picture of curves, spread and two settings, HTML is a page
        with the tables.
        """
        ending = out.suffix.lower()
        if ending == ".csv":
            files = {out: self._csv()}
            if self.plan.curves:
                files[out.with_suffix(".curves.csv")] = self._curves_csv()
        elif ending == ".json":
            files = {out: self._json()}
        elif ending == ".npz":
            files = {out: packed(self._arrays())}
        elif ending in DRAWN:
            # What draws lies above the runs, and is looked for only where it is wanted.
            files = {out: import_module("nodeflow.export.sweeps").made(self, ending)}
        else:
            raise refused_ending(out)
        for path, data in files.items():
            with writing(path):
                write(path, data)
        return list(files)

    def _csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        for row in self._rows():
            writer.writerow({name: _cell(value) for name, value in row.items()})
        return text.getvalue().encode()

    def _curves_csv(self) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*self.plan.names, "seed", "epoch", *CURVES])
        for row, begin in zip(self._sorted(), self._rows(), strict=True):
            names = [_cell(begin[name]) for name in (*self.plan.names, "seed")]
            for epoch, line in enumerate(_lines(row), 1):
                writer.writerow([*names, epoch, *(_cell(value) for value in line.values())])
        return text.getvalue().encode()

    def _json(self) -> bytes:
        rows = []
        for row, found in zip(self._sorted(), self._rows(), strict=True):
            rows.append({**found, "history": _history(row)} if self.plan.curves else found)
        return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        rows = self.rows
        found = {name: _array([row[name] for row in rows]) for name in self.columns}
        if self.plan.curves:
            most = max((len(_lines(row)) for row in self._sorted()), default=0)
            for name in CURVES:
                found[f"history.{name}"] = np.full((len(rows), most), np.nan)
                for at, row in enumerate(self._sorted()):
                    values = (row.curves or {}).get(name, [])
                    found[f"history.{name}"][at, : len(values)] = [
                        np.nan if value is None else value for value in values
                    ]
        return found

    def _sorted(self) -> list[Row]:
        return [self.found[number] for number in self.found]


def refused_ending(out: Path) -> FileError:
    """Return what refuses a file by its ending."""
    return FileError(f"a sweep is written to {', '.join((*ENDINGS, *DRAWN))}", file=str(out))


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict | bool):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else value


def _lines(row: Row) -> list[dict[str, float | None]]:
    curves = row.curves or {name: [] for name in CURVES}
    return [dict(zip(CURVES, line, strict=True)) for line in zip(*curves.values(), strict=True)]


def _history(row: Row) -> list[dict[str, Any]]:
    return [{"epoch": epoch, **line} for epoch, line in enumerate(_lines(row), 1)]


def _array(values: list[Any]) -> NDArray[Any]:
    if all(value is None or isinstance(value, int | float) for value in values):
        if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            return np.array(values, np.int64)
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(["" if value is None else _text(value) for value in values])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
