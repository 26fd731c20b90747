"""From a sheet to a table: which column is the target, which are features, and what they become.

The rules, in the order in which they are asked, are in docs/data.md. Whatever is decided is
said in the table's `Reading`; whatever has two readings is refused with both.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.analysis import Facts, analysed, label_names
from nodeflow.data.kinds import distinct, looks_like_classes, whole_numbers
from nodeflow.data.numerals import Form
from nodeflow.data.options import Options
from nodeflow.data.patterns import Pattern
from nodeflow.data.sheet import ColumnReading, Reading, Sheet
from nodeflow.data.table import (
    MOST_CLASSES,
    FloatArray,
    Table,
    classify,
    feature_names,
    frozen,
    number_name,
    one_hot_of,
)
from nodeflow.errors import DataError, nearest

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
_SENTINELS = (-999.0, -9999.0, -99999.0, -99.0, 999.0, 9999.0, 99999.0)


def table_of(sheet: Sheet, options: Options) -> Table:
    """Return the table that a sheet is, or raise DataError, one sentence."""
    return _Decision(sheet, options).table()


def reading_of(sheet: Sheet, options: Options) -> Reading:
    """Return how a sheet is read; what refuses it is its `fault`, and no error."""
    return _Decision(sheet, options).looked()


def numbers_for_features(sheet: Sheet, options: Options) -> list[int]:
    """Return the columns of numbers that will be features, as far as the rows there tell."""
    decision = _Decision(sheet, options)
    with suppress(DataError):
        decision.find_roles()
    return [i for i in decision.features if decision.facts[i].kind == "numbers"]


@dataclass(frozen=True)
class _Left:
    """Why a column is left out; `told` whether it is worth a note."""

    why: str
    told: bool = True


class _Decision:
    def __init__(self, sheet: Sheet, options: Options) -> None:
        self.sheet, self.options = sheet, options
        self.notes = list(sheet.notes)
        self.facts = analysed(sheet, options)
        unnamed = feature_names(len(self.facts))
        self.names = [fact.name or unnamed[i] for i, fact in enumerate(self.facts)]
        self.live = [i for i, fact in enumerate(self.facts) if fact.kind != "empty"]
        self.left: dict[int, _Left] = {}
        self.targets: list[int] = []
        self.single = True
        self.kind = self.why = ""

    # -- what comes out

    def table(self) -> Table:
        """Return the table, or raise the first fault."""
        self.find_roles()
        features = self.features
        if not features:
            if not self.options.features and len(self.live) > len(self.targets):
                left = next(iter(self.left.items()))
                msg = f"no column is left for the features: {self.names[left[0]]} {left[1].why}"
                raise self._fault(f"{msg}; --features names columns")
            raise self._fault("no column is left for the features; name fewer target columns")
        for i in self.live:
            if self.facts[i].fault and i not in self.left:
                raise self._broken(i)
        rows = self._rows(features)
        y, classes = self._target(rows)
        x, names = self._features(features, rows)
        self._point_out(features, classes)
        return Table(frozen(x), frozen(y), names, classes, how=self._reading())

    def looked(self) -> Reading:
        """Return how the table is read, with its fault if it has one."""
        try:
            reading = self.table().reading
        except DataError as error:
            if self.single and self.targets and not self.kind:
                with suppress(DataError):  # what is there may still tell classes from numbers
                    fact = self.facts[self.targets[0]]
                    if not fact.fault:
                        self._target(~fact.missing)
            return replace(self._reading(), fault=str(error))
        if reading is None:
            raise AssertionError("a table of a sheet has a reading")
        return reading

    def _fault(self, msg: str, row: int | None = None, column: int | None = None) -> DataError:
        line = None if row is None else self.sheet.lines[row]
        place = None if column is None else column + 1
        return DataError(msg, file=self.sheet.file, row=line, column=place)

    def _broken(self, column: int) -> DataError:
        fact = self.facts[column]
        drop = "" if column in self.targets else f", or leave the column out with --drop {column}"
        return self._fault(f"{fact.fault}{drop}", fact.fault_row, column)

    # -- roles

    @property
    def features(self) -> list[int]:
        """The columns that are neither target nor left out."""
        return [i for i in self.live if i not in self.left and i not in self.targets]

    def find_roles(self) -> None:
        """Find the targets, and which columns are left out; raises DataError."""
        if self.targets:
            return
        if not self.live:
            raise self._fault("every cell is empty or marked as missing; add rows of numbers")
        empty = [i for i in range(len(self.facts)) if i not in self.live]
        if empty:
            which = ", ".join(str(i + 1) for i in empty[:8]) + (", …" if len(empty) > 8 else "")
            self.notes.append(f"{_columns(empty)} {which} without any value: left out")
        self._repeated_names()
        chosen, dropped = self._named(self.options.features), self._named(self.options.drop)
        wanted = self.options.target
        if isinstance(wanted, str | int):
            self.targets, why = [self._column(wanted)], ""
        elif wanted is not None:
            self.targets, why = [self._column(one) for one in wanted], ""
            self.single = False
            if len(set(self.targets)) < len(self.targets):
                raise self._fault("a target column is named twice; name it once")
        else:
            why = self._default_target(dropped)
        for i in dropped:
            if i in self.targets or i in chosen:
                asked = "as the target" if i in self.targets else "as a feature"
                raise self._fault(f"'{self.names[i]}' is asked for {asked}, and to be dropped")
        for i in self.live:
            if i in self.targets:
                continue
            if i in dropped:
                self.left[i] = _Left("is dropped as asked", told=False)
            elif chosen and i not in chosen:
                self.left[i] = _Left("is not among the features asked for", told=False)
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
            if self.sheet.names and len(places) == 1:
                return places[0]
            if self.sheet.names and places:
                msg = f"{len(places)} columns are called '{wanted}'; give the {what}'s number"
                raise self._fault(f"{msg} from 0")
            try:
                wanted = int(wanted)
            except ValueError:
                hint = nearest(wanted, [name for name in own if name])
                if not self.sheet.names:
                    hint = f", for the file has no header; give a number from 0 to {width - 1}"
                raise self._fault(f"there is no column '{wanted}'{hint}") from None
        if 0 <= wanted < width:
            return wanted
        if -len(self.live) <= wanted < 0:
            return self.live[wanted]
        raise self._fault(
            f"there is no column {wanted}; the {what} is a number from 0 to {width - 1}, "
            f"or from -{width} to -1 counted from the end"
        )

    def _useless(self, i: int) -> _Left | None:
        """Return why a column cannot serve as a feature, None if it can."""
        fact, rows = self.facts[i], self.sheet.rows
        if fact.role == "left out":
            return _Left("is no feature, as the file says")
        if fact.fault:
            return None
        if fact.kind == "dates":
            return _Left("holds dates")
        if fact.kind == "text" and not fact.declared:
            many = fact.different
            if self.options.text == "drop":
                return _Left("holds texts")
            if many == rows - fact.missing.sum() and rows > 2:
                return _Left(f"holds {many} texts that all differ")
            if many > MOST_TEXTS:
                return _Left(f"holds {many} different texts")
            if many == 1:
                return _Left("holds one and the same text")
        if self._counts_rows(i):
            return _Left("counts the rows")
        if fact.like == "ids":
            return _Left("holds whole numbers of more than 15 digits, as ids have")
        named = fact.kind == "numbers" and fact.name and _is_id(fact.name) and rows > 2
        if named and fact.different == rows and whole_numbers(fact.numbers):
            return _Left(f"holds {rows} numbers that all differ and is named as an id")
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
            raise self._fault("no column is left for the target; name it with --target")
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
        texts = [i for i in usable if self._holds_classes(i)]
        if self.facts[last].kind in ("text", "dates", "yes/no") or self.facts[last].fault:
            if not self.sheet.names and first != last and self._holds_classes(first):
                return f"the target is the last column; --target {first} takes the first one"
            return ""
        if len(texts) == 1:
            return self._one_text(texts[0], last, usable)
        if not texts and not self.sheet.names and first != last:
            return self._first_or_last(first, last, usable)
        return ""

    def _holds_classes(self, i: int) -> bool:
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
        """Choose between the first and the last column of a file of numbers without a header."""
        if not self._codes(first) or self.facts[first].different < 2:
            return ""
        between = [i for i in usable if i not in (first, last) and self._varies(i)]
        coded = sum(self._codes(i) for i in between)
        if not between or coded * 2 > len(between):
            return ""
        many = self.facts[first].different
        constant = not self._varies(last)
        if constant or (len(usable) >= 10 and not self._codes(last)):
            self.targets = [first]
            return (
                f"the target is the first column, {many} whole numbers that repeat; "
                f"--target {last} takes the last one instead"
            )
        raise self._fault(
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

    # -- rows

    def _rows(self, features: Sequence[int]) -> NDArray[np.bool_]:
        """Return which rows are kept, or raise the first missing value."""
        used = [*features, *self.targets]
        gone = np.zeros(self.sheet.rows, bool)
        for i in used:
            if self.facts[i].gaps:
                gone |= self.facts[i].missing
        how = self.options.missing
        if not gone.any():
            return ~gone
        if how in ("refuse", "keep"):
            row = int(gone.argmax())
            column = min(i for i in used if self.facts[i].missing[row])
            cell = self._cell(column, row)
            what = f"'{cell}' marks a missing value" if cell else "the cell is empty"
            count = int(gone.sum())
            more = f" ({count} rows have such cells)" if count > 1 else ""
            mean = "" if column in self.targets else ", --missing mean fills it"
            raise self._fault(
                f"{what}; fill it in, or delete the row{more}: --missing drop leaves such rows out"
                f"{mean}",
                row, column,
            )  # fmt: skip
        if how == "mean":
            filled = [i for i in features if self.facts[i].missing.any()]
            if filled:
                names = ", ".join(f"'{self.names[i]}'" for i in filled[:8])
                self.notes.append(f"missing values filled with the column's mean: {names}")
            gone = np.logical_or.reduce([self.facts[i].missing for i in self.targets])
        if gone.any():
            self.notes.append(f"{_count(int(gone.sum()), 'row')} with missing values left out")
        if gone.all():
            raise self._fault("every row has a missing value; --missing mean fills them")
        return np.asarray(~gone)

    def _cell(self, column: int, row: int) -> str:
        cells = self.sheet.columns[column].cells
        return "" if cells is None else cells[row]

    # -- y

    def _target(self, rows: NDArray[np.bool_]) -> tuple[FloatArray, tuple[str, ...]]:
        wanted = self.options.target_kind
        if not self.single:
            self.kind = "numbers"
            if wanted == "classes":
                raise self._fault("several targets are numbers; name one column for classes")
            for i in self.targets:
                self._refuse_texts(i)
            return np.column_stack([self._values(i)[rows] for i in self.targets]), ()
        i = self.targets[0]
        fact = self.facts[i]
        if fact.kind in ("text", "dates") or (fact.kind == "yes/no" and wanted != "numbers"):
            return self._text_classes(i, rows)
        values = self._values(i) if rows.all() else self._values(i)[rows]
        classes, why = looks_like_classes(values)
        if wanted != "auto":
            classes, why = wanted == "classes", "as asked for"
        elif fact.form != replace(fact.form, before="", after="") and classes:
            classes, why = False, f"they are written with '{fact.form.before or fact.form.after}'"
        self.kind, self.why = "classes" if classes else "numbers", why
        if classes:
            if wanted == "auto" and len(distinct(values)[0]) > 2:
                self.notes.append(
                    f"the target's whole numbers are {len(distinct(values)[0])} classes; "
                    "--target-kind numbers reads them as numbers"
                )
            return classify(values, file=self.sheet.file, column=i + 1)
        if len(values) > 1 and (values == values[0]).all():
            raise self._fault(
                f"every row has the target {number_name(values[0])}; there is nothing to learn, "
                "name another column with --target",
                column=i,
            )
        return values.reshape(-1, 1), ()

    def _text_classes(self, i: int, rows: NDArray[np.bool_]) -> tuple[FloatArray, tuple[str, ...]]:
        fact = self.facts[i]
        if self.options.target_kind == "numbers":
            self._refuse_texts(i)
        self.kind = "classes"
        codes = fact.places if rows.all() else fact.places[rows]
        counted = np.bincount(codes, minlength=len(fact.texts)) > 0
        there = np.flatnonzero(counted)
        names = [fact.texts[code] for code in there.tolist()]
        asked = self.options.target_kind == "classes" or fact.declared
        if fact.kind == "dates" and not asked:
            raise self._fault(
                f"'{names[0]}' is a date, and dates are neither classes nor numbers; name another "
                "column with --target, or --target-kind classes",
                0, i,
            )  # fmt: skip
        if not asked and len(names) > max(2, len(codes) // 2) and len(codes) >= 5:
            raise self._fault(
                f"the target has {len(names)} different texts in {len(codes)} rows, as names or "
                "ids have; name another column with --target, or --target-kind classes",
                column=i,
            )
        self.why = "TRUE and FALSE" if fact.kind == "yes/no" else _texts(len(names))
        if fact.declared:
            self.why = "the file declares its classes"
        numbered = codes if counted.all() else (np.cumsum(counted) - 1)[codes]
        return one_hot_of(numbered, tuple(names), file=self.sheet.file, column=i + 1)

    def _refuse_texts(self, i: int) -> None:
        fact = self.facts[i]
        if fact.kind in ("text", "dates"):
            row = int((fact.places >= 0).argmax())
            msg = f"'{fact.texts[fact.places[row]]}' is text in a column of numbers; write a number"
            raise self._fault(msg, row, i)

    def _values(self, i: int) -> FloatArray:
        return self.facts[i].numbers

    # -- x

    def _features(
        self, features: Sequence[int], rows: NDArray[np.bool_]
    ) -> tuple[FloatArray, tuple[str, ...]]:
        names: list[str] = []
        parts: list[FloatArray] = []
        if self._read_side_by_side(features) and rows.all() and self.sheet.x is not None:
            return self.sheet.x, tuple(self.names[i] for i in features)
        for i in features:
            for name, values in self._expanded(i, rows):
                names.append(name)
                parts.append(values)
        return _side_by_side(parts), tuple(names)

    def _read_side_by_side(self, features: Sequence[int]) -> bool:
        """Tell whether the features are the columns of the sheet's x, one by one."""
        x = self.sheet.x
        return (
            x is not None
            and x.shape[1] == len(features)
            and all(
                self.facts[i].values is not None
                and self.facts[i].values is self.sheet.columns[i].values
                and not self.facts[i].gaps
                and np.shares_memory(self.facts[i].numbers[:1], x[:1, place])
                for place, i in enumerate(features)
            )
        )

    def _expanded(self, i: int, rows: NDArray[np.bool_]) -> Iterator[tuple[str, FloatArray]]:
        """Give the columns of numbers that a feature becomes."""
        fact, name = self.facts[i], self.names[i]
        whole = bool(rows.all())
        if fact.kind in ("numbers", "yes/no"):
            values = self._values(i)
            values = values if whole else values[rows]
            if fact.gaps:
                gap = np.isnan(values)
                values = np.where(gap, values[~gap].mean(), values) if gap.any() else values
            yield name, values
            return
        codes = fact.places[rows]
        if (codes < 0).any():
            codes = np.where(codes < 0, np.bincount(codes[codes >= 0]).argmax(), codes)
        if len(fact.texts) > MOST_CLASSES:
            raise self._fault(
                f"the column has {len(fact.texts)} different texts, and at most {MOST_CLASSES} can "
                "be features; leave it out with --drop",
                column=i,
            )
        if self.options.text == "ordinal" and not fact.declared:
            yield name, codes.astype(np.float64)
            return
        for code, text in enumerate(fact.texts):
            yield f"{name}={text}", (codes == code).astype(np.float64)

    # -- what is pointed out

    def _point_out(self, features: Sequence[int], classes: tuple[str, ...]) -> None:
        constant = []
        forms: dict[str, list[str]] = {}
        for i in [*features, *self.targets]:
            fact, name = self.facts[i], self.names[i]
            if fact.kind == "numbers":
                if fact.like == "codes":
                    self.notes.append(
                        f"'{name}' has numbers with zeros in front, as codes have; they are read "
                        "as numbers, and --drop leaves the column out"
                    )
                elif self._may_be_thousands(fact):
                    self.notes.append(
                        f"'{name}' is read with decimal points; --decimal , reads "
                        f"{fact.present[0]:.3f} as {1000 * fact.present[0]:.0f}"
                    )
                if i == 0 and i in features and self._may_be_ids(fact):
                    self.notes.append(
                        "column 1 holds whole numbers that all differ, as ids do; --drop 0 leaves "
                        "it out"
                    )
                if said := _form_in_words(fact.form):
                    forms.setdefault(said, []).append(f"'{name}'")
                low, high = fact.span
                if low == high:
                    constant.append(name)
                elif (lone := _sentinel(fact.present, low, high)) is not None:
                    count = int((fact.present == lone).sum())
                    self.notes.append(
                        f"column {i + 1}, '{name}': {lone:g} stands {_count(count, 'time')} far "
                        f"from the other numbers and is kept; if it marks a missing value, say "
                        f"--missing-mark {lone:g}"
                    )
            if fact.mixed:
                shown = ", ".join(f"'{text}'" for text in fact.texts[:4])
                self.notes.append(f"'{name}' mixes numbers and texts ({shown}, …), read as texts")
            if fact.kind == "text" and i in features and self.options.text == "ordinal":
                self.notes.append(f"'{name}' becomes the numbers 0 to {len(fact.texts) - 1}")
            elif fact.kind == "text" and i in features:
                self.notes.append(f"'{name}' becomes {len(fact.texts)} features, one a text")
        for said, which in forms.items():
            more = ", …" if len(which) > 5 else ""
            self.notes.append(f"numbers with {said}: {', '.join(which[:5])}{more}")
        if constant:
            some = ", ".join(f"'{name}'" for name in constant[:5])
            more = ", …" if len(constant) > 5 else ""
            self.notes.append(f"{_columns(constant)} with one value everywhere: {some}{more}")
        alike: dict[str, str] = {}
        for name in classes:
            key = re.sub(r"[\s.]+", " ", name).strip().lower()
            if key in alike:
                self.notes.append(
                    f"the classes '{alike[key]}' and '{name}' differ only in how they are written"
                )
            alike[key] = name

    def _may_be_thousands(self, fact: Facts) -> bool:
        """Tell whether points may part thousands, as where semicolons part columns."""
        decided = self.options.decimal != "auto" or fact.form != Form()
        return fact.like == "thousands" and self.sheet.separator == ";" and not decided

    def _may_be_ids(self, fact: Facts) -> bool:
        """Tell whether a column without a name may hold ids, such as 842302 and 842517."""
        if self.sheet.names or self.sheet.rows < 20 or fact.span[1] < 1000:
            return False
        few = fact.numbers[:100]  # most columns are told from a few rows
        return (
            whole_numbers(few)
            and len(distinct(few)[0]) == len(few)
            and whole_numbers(fact.present)
            and fact.different == self.sheet.rows
        )

    # -- the reading

    def _reading(self) -> Reading:
        shown = self.sheet.columns[:1000]
        columns = tuple(self._column_reading(i) for i in range(len(shown)))
        names = tuple(self.names[i] for i in self.targets)
        commas = any(fact.form.decimal == "," for fact in self.facts)
        decimal = self.options.decimal if self.options.decimal != "auto" else self.sheet.decimal
        if decimal == "auto":
            decimal = "," if commas else "."
        return Reading(
            self.sheet.file, self.sheet.format, self.sheet.separator, decimal,
            self.sheet.names, self.sheet.rows, columns,
            (names[0] if self.single else names) if names else None,
            self.kind, self.why, tuple(self.notes),
        )  # fmt: skip

    def _column_reading(self, i: int) -> ColumnReading:
        fact = self.facts[i]
        role = "target" if i in self.targets else "left out" if i in self.left else "feature"
        if fact.kind == "empty":
            role = "left out"
        span = None
        if fact.kind == "numbers" and fact.values is not None and not fact.fault:
            span = fact.span
        kind, classes = fact.kind, None
        if fact.kind == "text" and (self._holds_classes(i) or fact.declared or role == "target"):
            kind = "classes"
        if fact.kind == "yes/no" or kind == "classes":
            classes = tuple(label_names(fact)[:MOST_CLASSES])
        if role == "target" and self.single and self.kind == "classes":
            kind, classes = "classes", tuple(label_names(fact)[:MOST_CLASSES])
        becomes = {"target": self.kind or "the target", "left out": "nothing"}.get(role, "a number")
        if role == "feature" and fact.kind == "text":
            ordinal = self.options.text == "ordinal"
            becomes = "a number" if ordinal else f"{len(fact.texts)} numbers 0 or 1"
        missing = int(np.count_nonzero(fact.missing))
        return ColumnReading(self.names[i], kind, role, span, missing, classes, becomes)


def _form_in_words(form: Form) -> str:
    said = ["a decimal comma"] if form.decimal == "," else []
    if form.thousands:
        sign = {",": "commas", ".": "points", " ": "blanks"}.get(form.thousands, "apostrophes")
        said.append(f"thousands parted by {sign}")
    said += [f"'{sign}'" for sign in (form.before, form.after) if sign]
    if form.minus:
        said.append("brackets for a minus" if form.minus == "brackets" else "the minus behind")
    return " and ".join(said)


def _texts(count: int) -> str:
    return f"{count} texts that repeat" if count > 1 else "one text everywhere"


def _is_id(name: str) -> bool:
    return bool(_ID.fullmatch(name.strip()) or _ENDS_IN_ID.fullmatch(name.strip()))


def _side_by_side(columns: Sequence[FloatArray]) -> FloatArray:
    """Return columns as one array in the order of rows; a large one is made by two threads."""
    x = np.empty((len(columns[0]), len(columns)))
    step = max(64, 2**17 // len(columns))  # rows that stay in the cache while they are turned

    def turn(at: int) -> None:
        for i, column in enumerate(columns):
            x[at : at + step, i] = column[at : at + step]

    starts = range(0, len(x), step)
    if len(starts) < 4:
        for at in starts:
            turn(at)
        return x
    from concurrent.futures import ThreadPoolExecutor  # a small table needs none

    with ThreadPoolExecutor(2, "nodeflow-table") as pool:
        deque(pool.map(turn, starts), maxlen=0)
    return x


def _sentinel(values: FloatArray, low: float, high: float) -> float | None:
    """Return a number such as −999 that stands far from all others, None if there is none."""
    for lone in _SENTINELS:
        if lone == (low if lone < 0 else high):
            rest = values[values != lone]
            gap = rest.min() - lone if lone < 0 else lone - rest.max()
            if gap > 2 * (rest.max() - rest.min()) and gap > 10:
                return lone
    return None


def _columns(some: Sequence[object]) -> str:
    return "column" if len(some) == 1 else f"{len(some)} columns"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
