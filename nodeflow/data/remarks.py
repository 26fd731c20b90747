"""What a person is to know of columns that are read without a question: codes, forms, gaps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from nodeflow.data.analysis import Facts
from nodeflow.data.kinds import distinct, whole_numbers
from nodeflow.data.numerals import DOUBTFUL, Form
from nodeflow.data.roles import Roles, counted_columns
from nodeflow.data.table import FloatArray

IN_DAYS = "taken in days"
_SENTINELS = (-999.0, -9999.0, -99999.0, -99.0, 999.0, 9999.0, 99999.0)


def remarks(roles: Roles, classes: Sequence[str]) -> Iterator[str]:
    """Yield what is to be said of the features and the target, whose classes these are."""
    features = roles.features
    constant = []
    forms: dict[str, list[str]] = {}
    for i in [*features, *roles.targets]:
        fact, name = roles.facts[i], roles.names[i]
        if fact.kind == "numbers":
            yield from _of_numbers(roles, i)
            if said := _form_in_words(fact.form):
                forms.setdefault(said, []).append(f"'{name}'")
            if fact.span[0] == fact.span[1]:
                constant.append(name)
        if fact.mixed:
            shown = ", ".join(f"'{text}'" for text in fact.texts[:4])
            yield f"'{name}' mixes numbers and texts ({shown}, …), read as texts"
        for text in fact.texts if fact.kind == "text" else ():
            if text.lower() in DOUBTFUL:
                yield (
                    f"column {i + 1}, '{name}': '{text}' is kept as a text; if it marks a missing "
                    f"value, say --missing-mark {shlex.quote(text)}"
                )
        if fact.kind == "text" and i in features and roles.options.text == "ordinal":
            yield f"'{name}' becomes the numbers 0 to {len(fact.texts) - 1}"
        elif fact.kind == "text" and i in features:
            yield f"'{name}' becomes {len(fact.texts)} features, one a text"
    for said, which in forms.items():
        more = ", …" if len(which) > 5 else ""
        yield f"numbers with {said}: {', '.join(which[:5])}{more}"
    if constant:
        some = ", ".join(f"'{name}'" for name in constant[:5])
        more = ", …" if len(constant) > 5 else ""
        yield f"{counted_columns(constant)} with one value everywhere: {some}{more}"
    alike: dict[str, str] = {}
    for name in classes:
        key = re.sub(r"[\s.]+", " ", name).strip().lower()
        if key in alike:
            yield f"the classes '{alike[key]}' and '{name}' differ only in how they are written"
        alike[key] = name


def _of_numbers(roles: Roles, i: int) -> Iterator[str]:
    """Yield what is to be said of one column of numbers."""
    fact, name = roles.facts[i], roles.names[i]
    if fact.like == "codes":
        yield (
            f"'{name}' has numbers with zeros in front, as codes have; they are read as numbers, "
            "and --drop leaves the column out"
        )
    elif fact.like == "durations":
        yield f"'{name}' holds durations, {IN_DAYS}"
    elif _may_be_thousands(roles, fact):
        yield (
            f"'{name}' is read with decimal points; --decimal , reads "
            f"{fact.present[0]:.3f} as {1000 * fact.present[0]:.0f}"
        )
    if i == 0 and i not in roles.targets and _may_be_ids(roles, fact):
        yield "column 1 holds whole numbers that all differ, as ids do; --drop 0 leaves it out"
    low, high = fact.span
    if low < high and (lone := _sentinel(fact.present, low, high)) is not None:
        count = int((fact.present == lone).sum())
        yield (
            f"column {i + 1}, '{name}': {lone:g} stands {how_many(count, 'time')} far from the "
            f"other numbers and is kept; if it marks a missing value, say --missing-mark {lone:g}"
        )


def _may_be_thousands(roles: Roles, fact: Facts) -> bool:
    """Tell whether points may part thousands, as where semicolons part columns."""
    decided = roles.options.decimal != "auto" or fact.form != Form()
    return fact.like == "thousands" and roles.sheet.separator == ";" and not decided


def _may_be_ids(roles: Roles, fact: Facts) -> bool:
    """Tell whether a column without a name may hold ids, such as 842302 and 842517."""
    if roles.sheet.names or roles.sheet.rows < 20 or fact.span[1] < 1000:
        return False
    few = fact.numbers[:100]  # most columns are told from a few rows
    return (
        whole_numbers(few)
        and len(distinct(few)[0]) == len(few)
        and whole_numbers(fact.present)
        and fact.different == roles.sheet.rows
    )


def _form_in_words(form: Form) -> str:
    said = ["a decimal comma"] if form.decimal == "," else []
    if form.thousands:
        sign = {",": "commas", ".": "points", " ": "blanks"}.get(form.thousands, "apostrophes")
        said.append(f"thousands parted by {sign}")
    said += [f"'{sign}'" for sign in (form.before, form.after) if sign]
    if form.minus:
        said.append("brackets for a minus" if form.minus == "brackets" else "the minus behind")
    return " and ".join(said)


def _sentinel(values: FloatArray, low: float, high: float) -> float | None:
    """Return a number such as −999 that stands far from all others, None if there is none."""
    for lone in _SENTINELS:
        if lone == (low if lone < 0 else high):
            rest = values[values != lone]
            gap = rest.min() - lone if lone < 0 else lone - rest.max()
            if gap > 2 * (rest.max() - rest.min()) and gap > 10:
                return lone
    return None


def how_many(number: int, what: str) -> str:
    """Return a number of things in words: "1 row", "3 rows"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
