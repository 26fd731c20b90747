"""Which columns of a sheet are the target, which are features, and which are left out, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.data.analysis import analysed
from nodeflow.data.kinds import looks_like_classes, whole_numbers
from nodeflow.data.options import Options
from nodeflow.data.patterns import Pattern
from nodeflow.data.sheet import Sheet
from nodeflow.data.table import feature_names
from nodeflow.errors import nearest

LABELS = frozenset(
    {
        "class", "classes", "label", "labels", "target", "y", "species", "diagnosis", "outcome",
        "survived", "category",
    }
)  # fmt: skip
"""Names that say that a column is the target, wherever it stands."""
MOST_TEXTS = 30
"""A feature of more different texts is left out unless it is named."""
_ID = Pattern(r"(?:.*[_ \-.])?(?:id|ids|index|idx|uuid)|n[or]\.?|row|rownames?|"
                 r"unnamed: 0|#|", re.IGNORECASE)  # fmt: skip
_ENDS_IN_ID = Pattern(r".*[a-z](?:Id|ID)")


@dataclass(frozen=True)
class Left:
    """Why a column is left out; `told` whether it is worth a note."""

    why: str
    told: bool = True


class Roles:
    """What each column of a sheet is for, as far as its name, its place and its values tell."""

    def __init__(self, sheet: Sheet, options: Options) -> None:
        self.sheet, self.options = sheet, options
        self.notes = list(sheet.notes)
        """What a person is to know of the choices."""
        self.facts = analysed(sheet, options)
        unnamed = feature_names(len(self.facts))
        self.names = [fact.name or unnamed[i] for i, fact in enumerate(self.facts)]
        self.live = [i for i, fact in enumerate(self.facts) if fact.kind != "empty"]
        self.left: dict[int, Left] = {}
        self.targets: list[int] = []
        self.single = True
        """Whether one column is the target, and not a list of them."""

    @property
    def features(self) -> list[int]:
        """The columns that are neither target nor left out."""
        return [i for i in self.live if i not in self.left and i not in self.targets]

    def find(self) -> None:
        """Find the targets, and which columns are left out; raises DataError."""
        if self.targets:
            return
        if not self.live:
            raise self.sheet.fault("every cell is empty or marked as missing; add rows of numbers")
        empty = [i for i in range(len(self.facts)) if i not in self.live]
        if empty:
            which = ", ".join(str(i + 1) for i in empty[:8]) + (", …" if len(empty) > 8 else "")
            self.notes.append(f"{counted_columns(empty)} {which} without any value: left out")
        self._repeated_names()
        chosen, dropped = self._named(self.options.features), self._named(self.options.drop)
        wanted = self.options.target
        if isinstance(wanted, str | int):
            self.targets, why = [self._column(wanted)], ""
        elif wanted is not None:
            self.targets, why = [self._column(one) for one in wanted], ""
            self.single = False
            if len(set(self.targets)) < len(self.targets):
                raise self.sheet.fault("a target column is named twice; name it once")
        else:
            why = self._default_target(dropped)
        for i in dropped:
            if i in self.targets or i in chosen:
                asked = "as the target" if i in self.targets else "as a feature"
                raise self.sheet.fault(f"'{self.names[i]}' is asked for {asked}, and to be dropped")
        for i in self.live:
            if i in self.targets:
                continue
            if i in dropped:
                self.left[i] = Left("is dropped as asked", told=False)
            elif chosen and i not in chosen:
                self.left[i] = Left("is not among the features asked for", told=False)
            elif not chosen:
                found = self._useless(i)
                if found:
                    self.left[i] = found
        for i, left in self.left.items():
            if left.told:
                self.notes.append(f"column {i + 1}, '{self.names[i]}', {left.why}: left out")
        if why:
            self.notes.append(why)

    def _repeated_names(self) -> None:
        seen: dict[str, int] = {}
        for i, name in enumerate(fact.name for fact in self.facts):
            if name and name in seen:
                self.notes.append(
                    f"columns {seen[name] + 1} and {i + 1} are both called '{name}': both are kept"
                )
            seen[name] = i

    def _named(self, wanted: Any) -> list[int]:
        """Return the columns of a list; a single text may list several, parted by commas."""
        if wanted is None:
            return []
        parts: list[str | int] = []
        for one in wanted:
            several = isinstance(one, str) and "," in one and one not in self.names
            parts += [part.strip() for part in str(one).split(",")] if several else [one]
        return [self._column(one, "column") for one in parts]

    def _column(self, wanted: str | int, what: str = "target") -> int:
        width = len(self.facts)
        own = [fact.name for fact in self.facts]
        if isinstance(wanted, str):
            places = [i for i, name in enumerate(self.names) if name == wanted]
            if len(places) == 1:  # without a header it is a name that was shown: x1
                return places[0]
            if self.sheet.names and places:
                msg = f"{len(places)} columns are called '{wanted}'; give the {what}'s number"
                raise self.sheet.fault(f"{msg} from 0")
            try:
                wanted = int(wanted)
            except ValueError:
                hint = nearest(wanted, [name for name in own if name])
                if not self.sheet.names:
                    hint = f", for the file has no header; give a number from 0 to {width - 1}"
                raise self.sheet.fault(f"there is no column '{wanted}'{hint}") from None
        if 0 <= wanted < width:
            return wanted
        if -len(self.live) <= wanted < 0:
            return self.live[wanted]
        raise self.sheet.fault(
            f"there is no column {wanted}; the {what} is a number from 0 to {width - 1}, "
            f"or from -{width} to -1 counted from the end"
        )

    def _useless(self, i: int) -> Left | None:
        """Return why a column cannot serve as a feature, None if it can."""
        fact, rows = self.facts[i], self.sheet.rows
        if fact.role == "left out":
            return Left("is no feature, as the file says")
        if fact.fault:
            return None
        if fact.kind == "dates":
            return Left("holds dates")
        if fact.kind == "text" and not fact.declared:
            many = fact.different
            if self.options.text == "drop":
                return Left("holds texts")
            if many == rows - fact.missing.sum() and rows > 2:
                return Left(f"holds {many} texts that all differ")
            if many > MOST_TEXTS:
                return Left(f"holds {many} different texts")
            if many == 1:
                return Left("holds one and the same text")
        if self._counts_rows(i):
            return Left("counts the rows")
        if fact.like == "ids":
            return Left("holds whole numbers of more than 15 digits, as ids have")
        named = fact.kind == "numbers" and fact.name and _is_id(fact.name) and rows > 2
        if named and fact.different == rows and whole_numbers(fact.numbers):
            return Left(f"holds {rows} numbers that all differ and is named as an id")
        return None

    def _counts_rows(self, i: int) -> bool:
        fact, rows = self.facts[i], self.sheet.rows
        if fact.values is None or fact.gaps or rows < 3 or fact.kind != "numbers":
            return False
        first = fact.values[:16]  # most columns are told from a few rows
        if not ((np.diff(first) == 1).all() and (np.diff(fact.values) == 1).all()):
            return False
        if self.sheet.names:
            return _is_id(fact.name)
        return i == 0 and rows >= 20 and len(self.live) > 3 and fact.values[0] in (0, 1)

    # -- the target

    def _default_target(self, dropped: Sequence[int]) -> str:
        """Find the target among the columns that stay; return what is to be said about it."""
        there = [i for i in self.live if i not in dropped]
        said = [i for i in there if self.facts[i].role == "target"]
        if said:
            self.targets, self.single = said, len(said) == 1
            return ""
        usable = [i for i in there if self.facts[i].role != "left out"]
        if not usable:
            raise self.sheet.fault("no column is left for the target; name it with --target")
        if len(usable) > 1 and self._counts_rows(usable[-1]):
            usable = usable[:-1]  # it is left out as a feature, and that is said
        last, first = usable[-1], usable[0]
        if len(usable) > 2 and self._counts_rows(first):
            first = usable[1]
        self.targets = [last]
        labels = [i for i in usable if self.facts[i].name.strip().lower() in LABELS]
        if labels and last not in labels and len(labels) == 1:
            self.targets = labels
            name = self.names[labels[0]]
            return (
                f"the target is column {labels[0] + 1}, '{name}', by its name; "
                "--target names another"
            )
        if labels:
            return ""
        texts = [i for i in usable if self.holds_classes(i)]
        if self.facts[last].kind in ("text", "dates", "yes/no") or self.facts[last].fault:
            if not self.sheet.names and first != last and self.holds_classes(first):
                return f"the target is the last column; --target {first} takes the first one"
            return ""
        if len(texts) == 1:
            return self._one_text(texts[0], last, usable)
        if not texts and first != last:
            return self._first_or_last(first, last, usable)
        return ""

    def holds_classes(self, i: int) -> bool:
        """Tell whether a column holds texts that repeat, few enough to be classes."""
        fact = self.facts[i]
        return fact.kind == "text" and 1 < fact.different <= min(MOST_TEXTS, self.sheet.rows // 2)

    def _one_text(self, text: int, last: int, usable: Sequence[int]) -> str:
        """Choose between the only column of texts and the last one."""
        names = self.names
        other = f"the last one, '{names[last]}', holds numbers"
        if self.sheet.names:
            return (
                f"the target is the last column, '{names[last]}'; column {text + 1}, "
                f"'{names[text]}', holds texts: --target {text} takes it instead"
            )
        rest = [i for i in usable if i not in (text, last) and self.facts[i].values is not None]
        if rest and sum(self._whole(i) == self._whole(last) for i in rest) * 2 > len(rest):
            self.targets = [text]
            return (
                f"the target is column {text + 1}, the only one of texts; {other} like the "
                f"features: --target {last} takes it instead"
            )
        return (
            f"the target is the last column; column {text + 1} holds {self.facts[text].different} "
            f"classes in texts: --target {text} takes it instead"
        )

    def _first_or_last(self, first: int, last: int, usable: Sequence[int]) -> str:
        """Choose between the first and the last column of a file of numbers.

        With a header it is the last one, whose name a person can read, and the first is told.
        """
        if not self._codes(first) or self.facts[first].different < 2:
            return ""
        between = [i for i in usable if i not in (first, last) and self._varies(i)]
        coded = sum(self._codes(i) for i in between)
        if not between or coded * 2 > len(between):
            return ""
        many = self.facts[first].different
        if self.sheet.names:
            if self._codes(last):
                return ""
            return (
                f"the target is the last column, '{self.names[last]}'; column {first + 1}, "
                f"'{self.names[first]}', holds {many} whole numbers that repeat: "
                f"--target {first} takes it instead"
            )
        constant = not self._varies(last)
        if constant or (len(usable) >= 10 and not self._codes(last)):
            self.targets = [first]
            return (
                f"the target is the first column, {many} whole numbers that repeat; "
                f"--target {last} takes the last one instead"
            )
        raise self.sheet.fault(
            f"there are two readings: the first column holds {many} classes (--target {first}), "
            f"or the last one is the target (--target {last}); --target decides"
        )

    def _varies(self, i: int) -> bool:
        fact = self.facts[i]
        if fact.values is None:
            return fact.different > 1
        return fact.span[0] < fact.span[1]

    def _whole(self, i: int) -> bool:
        fact = self.facts[i]
        return fact.values is not None and whole_numbers(fact.present)

    def _codes(self, i: int) -> bool:
        fact = self.facts[i]
        if fact.values is None or fact.span[1] > MOST_TEXTS:
            return False
        return looks_like_classes(fact.present)[0]


def _is_id(name: str) -> bool:
    return bool(_ID.fullmatch(name.strip()) or _ENDS_IN_ID.fullmatch(name.strip()))


def counted_columns(some: Sequence[object]) -> str:
    """Return "column", or how many columns they are."""
    return "column" if len(some) == 1 else f"{len(some)} columns"
