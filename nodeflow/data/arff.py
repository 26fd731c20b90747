"""ARFF files, read as Weka reads them.

Blanks and commas both part the values of a row; % begins a comment, also behind values; single
and double quotes hold a value, with backslash escapes. An unquoted ? is missing, a quoted '?' is
a value. In a sparse row `{3 x, 7 2.5}` what is not named is 0, or the first value that a nominal
attribute declares. MEKA says in the name of the relation which attributes are targets: `-C 3` the
first three, `-C -3` the last three.

Source: weka.core.converters.ArffLoader, the page "ARFF" of Weka's manual, and section 3 of the
MEKA tutorial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nodeflow.data.options import Options, refuse_unheard
from nodeflow.data.reading import check_size, reading
from nodeflow.data.sheet import Column, Sheet
from nodeflow.data.textfile import decode
from nodeflow.errors import DataError

_TOKEN = re.compile(
    r"""'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<brace>[{}])"""
    r"""|(?P<word>[^\s,{}'"%]+)|(?P<comment>%.*)|(?P<open>['"])"""
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_NUMBERS = ("numeric", "real", "integer")
_MEKA = re.compile(r":.*?\s-C\s+(-?[1-9]\d{0,5})(?!\S)")
"""How many targets a file for several labels says that it has, in the name of its relation."""


@dataclass(frozen=True)
class _Token:
    text: str
    quoted: bool = False

    @property
    def missing(self) -> bool:
        return self.text == "?" and not self.quoted


@dataclass
class _Attribute:
    name: str
    kind: str
    levels: tuple[str, ...] = ()
    role: str = ""
    cells: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def arff_sheet(path: Path, options: Options) -> Sheet:
    """Return the attributes of an ARFF file as columns; raises DataError with row and column."""
    refuse_unheard(options, "header", "separator", what="an ARFF file", file=path.name)
    check_size(path)
    with reading(path):
        data = path.read_bytes()
    text, notes = decode(data, path.name, options.encoding)
    attributes: list[_Attribute] = []
    lines: list[int] = []
    weighted, targets = False, 0
    rows = _lines(text, options.skip)
    for number, line in rows:
        tokens = _tokens(line, path.name, number)
        if not tokens:
            continue
        word = tokens[0].text.lower()
        if word == "@data":
            break
        if word == "@attribute":
            attributes.append(_attribute(tokens[1:], path.name, number))
        elif word == "@end" or (attributes and attributes[-1].kind == "relational"):
            continue
        elif word == "@relation":
            said = _MEKA.search(" ".join(token.text for token in tokens[1:]))
            targets = 0 if said is None else int(said[1])
        else:
            msg = f"'{tokens[0].text}' is no declaration; write @relation, @attribute or @data"
            raise DataError(msg, file=path.name, row=number)
    if not attributes:
        msg = "there is no @attribute; an ARFF file declares its columns before @data"
        raise DataError(msg, file=path.name)
    for attribute in attributes:
        if attribute.kind == "relational":
            msg = f"'{attribute.name}' is relational, a table in a table; leave it out"
            raise DataError(msg, file=path.name)
    if 0 < abs(targets) < len(attributes):
        _mark(attributes[:targets] if targets > 0 else attributes[targets:])
    for number, line in rows:
        tokens = _tokens(line, path.name, number)
        if not tokens:
            continue
        lines.append(number)
        weighted = _row(attributes, tokens, path.name, number) or weighted
    if not lines:
        raise DataError("there is no row below @data; add one", file=path.name)
    if weighted:
        notes.append("weights of rows, {…} at their ends, are not used")
    return Sheet(path.name, tuple(map(_column, attributes)), lines, "arff", notes=tuple(notes))


def _mark(targets: Sequence[_Attribute]) -> None:
    """Make targets of attributes; several that are 0 or 1 each are numbers."""
    for target in targets:
        target.role = "target"
        if len(targets) > 1 and target.levels == ("0", "1"):
            target.kind, target.levels = "numeric", ()


def _lines(text: str, skip: int) -> Iterator[tuple[int, str]]:
    """Give the lines with their numbers, from 1; the caller reads on where it stopped."""
    for number, line in enumerate(text.splitlines(), 1):
        if number > skip:
            yield number, line


def _tokens(line: str, file: str, number: int) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(line):
        if match["comment"] is not None:
            break
        if match["open"]:
            raise DataError("a quoted value does not end; close its quote", file=file, row=number)
        quoted = match["single"] if match["single"] is not None else match["double"]
        if quoted is None:
            found.append(_Token(match[0]))
        else:
            plain = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), quoted)
            found.append(_Token(plain, quoted=True))
    return found


def _attribute(tokens: Sequence[_Token], file: str, number: int) -> _Attribute:
    if len(tokens) < 2:
        msg = "an attribute has a name and a type, such as @attribute width numeric"
        raise DataError(msg, file=file, row=number)
    name, kind = tokens[0].text, tokens[1].text.lower()
    if kind == "{" and not tokens[1].quoted:
        ends = [at for at, token in enumerate(tokens) if token.text == "}" and not token.quoted]
        if not ends:
            raise DataError(
                "the list of values does not end with }; close it", file=file, row=number
            )
        # Behind it an attribute may have a weight, {2.0}, as a row may.
        levels = tuple(token.text for token in tokens[2 : ends[0]])
        if not levels:
            raise DataError(
                f"'{name}' declares no values; name them between {{ and }}", file=file, row=number
            )
        return _Attribute(name, "nominal", levels)
    if kind in _NUMBERS:
        return _Attribute(name, "numeric")
    if kind in ("string", "date", "relational"):
        return _Attribute(name, kind)
    msg = f"'{tokens[1].text}' is no type; there is numeric, {{a, b}}, string and date"
    raise DataError(msg, file=file, row=number)


def _row(attributes: Sequence[_Attribute], tokens: list[_Token], file: str, number: int) -> bool:
    """Add a row to the attributes; tell whether it has a weight."""
    sparse = tokens[0].text == "{" and not tokens[0].quoted
    braces = [i for i, token in enumerate(tokens) if token.text in "{}" and not token.quoted]
    weighted = len(braces) > (2 if sparse else 0)
    if weighted:
        tokens = tokens[: braces[2 if sparse else 0]]
    if sparse:
        if len(braces) < 2:
            raise DataError("a sparse row does not end with }; close it", file=file, row=number)
        given = _sparse(attributes, tokens[1 : braces[1]], file, number)
    else:
        if len(tokens) != len(attributes):
            msg = f"the row has {len(tokens)} values for {len(attributes)} attributes"
            raise DataError(f"{msg}; write ? for a missing one", file=file, row=number)
        given = dict(enumerate(tokens))
    for i, attribute in enumerate(attributes):
        _put(attribute, given.get(i), file, number, i + 1)
    return weighted


def _sparse(
    attributes: Sequence[_Attribute], tokens: Sequence[_Token], file: str, number: int
) -> dict[int, _Token]:
    given: dict[int, _Token] = {}
    if len(tokens) % 2:
        raise DataError(
            "a sparse row is pairs; write a number and a value each", file=file, row=number
        )
    for place, value in zip(tokens[::2], tokens[1::2], strict=True):
        at = int(place.text) if place.text.isdecimal() and len(place.text) < 10 else -1
        if not 0 <= at < len(attributes) or at in given:
            msg = f"'{place.text}' is no attribute's number from 0 to {len(attributes) - 1}"
            raise DataError(f"{msg}; name each once", file=file, row=number)
        given[at] = value
    return given


def _put(attribute: _Attribute, token: _Token | None, file: str, row: int, column: int) -> None:
    if attribute.kind == "numeric":
        if token is None or token.missing:
            attribute.values.append(0.0 if token is None else np.nan)
            return
        try:
            value = float(token.text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value) or "_" in token.text:
            msg = f"'{token.text}' is no number, but '{attribute.name}' is numeric"
            raise DataError(f"{msg}; write a number or ?", file=file, row=row, column=column)
        attribute.values.append(value)
        return
    if token is None:
        attribute.cells.append(attribute.levels[0] if attribute.levels else "")
    elif token.missing:
        attribute.cells.append("")
    elif attribute.levels and token.text not in attribute.levels:
        shown = ", ".join(attribute.levels[:8]) + (", …" if len(attribute.levels) > 8 else "")
        msg = f"'{token.text}' is none of the values that '{attribute.name}' declares ({shown})"
        raise DataError(f"{msg}; declare it", file=file, row=row, column=column)
    else:
        attribute.cells.append(token.text)


def _column(attribute: _Attribute) -> Column:
    if attribute.kind == "numeric":
        return Column(attribute.name, values=np.array(attribute.values), role=attribute.role)
    role = "left out" if attribute.kind == "date" else attribute.role
    return Column(attribute.name, attribute.cells, typed=True, levels=attribute.levels, role=role)
