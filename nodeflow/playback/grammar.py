"""Conditions as text: read into parts, or refused with the place where reading stopped.

    condition   = truth
    truth       = truth "or" truth | truth "and" truth | "not" truth | "(" truth ")" | relation
    relation    = number (("<" | "<=" | ">" | ">=" | "=" | "==" | "!=") number)+
                | number ("changes" ["sign"] | "rises" | "falls")
                | "nan" "appears" ["in" number]
                | ("any" | "all") "(" truth ")" | ("nan" | "infinite") "(" number ")"
    number      = number ("+" | "-" | "*" | "/" | "^" | "**") number | "-" number
                | "(" number ")" | FUNCTION "(" number {"," number} ")" | name | 1e-6
    name        = NODE "." PORT [indices] | NODE [indices] | WORD
    indices     = "[" 0, 1, … {"," 0, 1, …} "]"

Tightest first: indices, ^ (from the right), the sign −, * and /, + and −, relations, not, and, or.
`≤ ≥ ≠ − × · ÷` may be typed as well. Words may be in capitals, names are as in the graph. A NODE
alone stands for its only output; a WORD goes before a node of that name. The ids of nodes may hold
`-`, so a minus after a name needs a space, unless the longer name is not in the graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from nodeflow import formula as formulas
from nodeflow.errors import ConditionError, nearest
from nodeflow.graph import Graph

RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
CHANGES = ("changes", "rises", "falls")
OF_ONE = (*formulas.FUNCTIONS, "mean", "sum", "norm", "previous", "change")
OF_SEVERAL = ("min", "max")
TRUTHS_OF_NUMBER = ("nan", "infinite")
TRUTHS_OF_TRUTH = ("any", "all")
FUNCTIONS = (*OF_ONE, *OF_SEVERAL, *TRUTHS_OF_NUMBER, *TRUTHS_OF_TRUTH)
EPOCHAL = ("accuracy", "train_accuracy", "test_accuracy", "train_cost", "test_cost")
WORDS = ("epoch", "update", "sample", "cost", *EPOCHAL)
_KEYWORDS = ("and", "or", "not", "in", "appears", "sign", *CHANGES)

LONGEST = 1000
DEEPEST = 100
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d_](?:[\w.\-]|[^\x00-\x7f\s≤≥≠−×·÷])*)|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^<>=(),\[\]≤≥≠−×·÷])"
)
_SAME = {"≤": "<=", "≥": ">=", "≠": "!=", "=": "=="}
_SAME |= {"−": "-", "×": "*", "·": "*", "÷": "/", "^": "**"}
_OR, _AND, _NOT, _RELATION, _SUM, _PRODUCT, _NEGATIVE, _POWER = range(1, 9)
_BINDS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_BINDS |= dict.fromkeys((*RELATIONS, *CHANGES), _RELATION)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a condition; `start` and `end` are its place in the text."""

    head: str
    """number, port, word; an operator, a function or a relation's name; "relation"."""
    parts: tuple[Part, ...] = ()
    value: Any = None
    """The number, (address, indices), the word, or the signs of a relation."""
    truth: bool = False
    """Whether it is true or false rather than numbers."""
    start: int = 0
    end: int = 0
    depth: int = 1

    def walk(self) -> Iterator[Part]:
        """Yield the part and all within it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """number, name, word (of the language), sign, end."""
    text: str
    start: int
    end: int


def read(text: str, graph: Graph) -> Part:
    """Return the parts of a condition, or raise `ConditionError`."""
    return _Reader(text, graph).condition()


def read_expression(text: str, graph: Graph) -> Part:
    """Return the parts of an expression, a value or a truth, or raise `ConditionError`."""
    return _Reader(text, graph).whole("w.value[0, 1] or cost < 0.01")


class _Reader:
    def __init__(self, text: str, graph: Graph) -> None:
        self.text, self.graph = text, graph
        if len(text) > LONGEST:
            raise self.fault(f"it has {len(text)} characters, at most {LONGEST} are read", LONGEST)
        self.level = 0
        self.tokens = list(self._tokens())
        self.place = 0

    def fault(self, why: str, position: int) -> ConditionError:
        return ConditionError(why, text=self.text, position=position)

    # -- tokens

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self.fault(f"'{self.text[at]}' means nothing here", at)
            kind, text, end = str(found.lastgroup), found.group(), found.end()
            if kind == "name":
                kind, text = self._longest_name(text)
                end = at + len(text)
            if kind == "word":
                text = text.lower()
            if kind != "space":
                yield _Token(kind, _SAME.get(text, text), at, end)
            at = end
        yield _Token("end", "", at, at)

    def _longest_name(self, text: str) -> tuple[str, str]:
        """Return the longest name there is: what follows its `-` is then subtracted."""
        cuts = [len(text), *(i for i in range(len(text) - 1, 0, -1) if text[i] == "-")]
        for cut in cuts:
            name = text[:cut]
            if self._address(name) is not None:
                return "name", name
            if name.lower() in (*WORDS, *FUNCTIONS, *_KEYWORDS):
                return "word", name
            if name in self.graph.nodes:
                return "name", name
        return "name", text

    def _address(self, name: str) -> str | None:
        node, _, port = name.rpartition(".")
        return name if port in self._outputs(node) else None

    def _outputs(self, node: str) -> tuple[str, ...]:
        known = self.graph.nodes[node].known if node in self.graph.nodes else None
        return tuple(port.name for port in known.outputs) if known else ()

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def take(self, *texts: str) -> _Token | None:
        """Return the next token if it is one of these, and go on."""
        token = self.now
        if token.text not in texts:
            return None
        self.place += 1
        return token

    def expect(self, text: str, what: str) -> _Token:
        found = self.take(text)
        if found is None:
            raise self.fault(f"{what} is missing before {self._next()}", self.now.start)
        return found

    def _next(self) -> str:
        return f"'{self.now.text}'" if self.now.kind != "end" else "the end"

    # -- parts

    def made(self, head: str, *parts: Part, start: int, value: Any = None, truth: bool) -> Part:
        """Return a part that ends where the last token did."""
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > DEEPEST:
            raise self.fault(f"it is nested more than {DEEPEST} deep", start)
        return Part(head, parts, value, truth, start, self.tokens[self.place - 1].end, depth)

    def condition(self) -> Part:
        return self.as_truth(self.whole("cost < 0.01"))

    def whole(self, example: str) -> Part:
        if self.now.kind == "end":
            raise self.fault(f"nothing was typed: write one such as {example}", 0)
        found = self.expression(0)
        if self.now.kind != "end":
            raise self.fault(f"an operator is missing before {self._next()}", self.now.start)
        return found

    def as_truth(self, part: Part) -> Part:
        if not part.truth:
            what = self.text[part.start : part.end]
            raise self.fault(
                f"'{what}' is a value, neither true nor false: compare it, as in {what} < 1",
                part.start,
            )
        return part

    def as_number(self, part: Part) -> Part:
        if part.truth:
            what = self.text[part.start : part.end]
            raise self.fault(f"'{what}' is true or false where a value is wanted", part.start)
        return part

    def expression(self, level: int) -> Part:
        """Read on as long as operators bind more tightly than `level`."""
        self.level += 1
        if self.level > DEEPEST:
            raise self.fault(f"it is nested more than {DEEPEST} deep", self.now.start)
        left = self.prefix()
        while (binds := _BINDS.get(self.now.text, 0)) > level:
            left = self.infix(left, binds)
        self.level -= 1
        return left

    def infix(self, left: Part, binds: int) -> Part:
        token = self.now
        self.place += 1
        start, head = left.start, token.text
        if binds == _RELATION and head in CHANGES:
            sign = head == "changes" and self.take("sign") is not None
            part = self.as_number(left)
            self.only_now(part, token)
            return self.made("changes sign" if sign else head, part, start=start, truth=True)
        if binds == _RELATION:
            return self.relation(left, head)
        if binds in (_OR, _AND):
            right = self.as_truth(self.expression(binds))
            return self.made(head, self.as_truth(left), right, start=start, truth=True)
        self.as_number(left)
        right = self.as_number(self.expression(binds - (binds == _POWER)))
        return self.made(head, left, right, start=start, truth=False)

    def relation(self, left: Part, sign: str) -> Part:
        parts, signs = [self.as_number(left)], [sign]
        parts.append(self.as_number(self.expression(_RELATION)))
        while token := self.take(*RELATIONS):
            signs.append(token.text)
            parts.append(self.as_number(self.expression(_RELATION)))
        return self.made("relation", *parts, start=left.start, value=tuple(signs), truth=True)

    def prefix(self) -> Part:
        token = self.now
        self.place += 1
        start = token.start
        match token.kind, token.text:
            case "number", text:
                return self.made("number", start=start, value=float(text), truth=False)
            case "name", _:
                return self.name(token)
            case "sign", "(":
                inner = self.expression(0)
                end = self.expect(")", "a bracket ')'").end
                return replace(inner, start=start, end=end)
            case "sign", "-":
                part = self.as_number(self.expression(_NEGATIVE))
                return self.made("negative", part, start=start, truth=False)
            case "sign", "+":
                return self.as_number(self.expression(_NEGATIVE))
            case "word", "not":
                part = self.as_truth(self.expression(_NOT))
                return self.made("not", part, start=start, truth=True)
            case "word", "nan" if self.now.text == "appears":
                return self.nan_appears(start)
            case "word", word if word in FUNCTIONS:
                return self.call(word, token)
            case "word", word if word in WORDS:
                return self.word(word, start)
        self.place -= 1
        raise self.fault(f"a value is missing before {self._next()}", start)

    def nan_appears(self, start: int) -> Part:
        self.take("appears")
        inside = [self.as_number(self.expression(_RELATION))] if self.take("in") else []
        return self.made("nan appears", *inside, start=start, truth=True)

    def call(self, name: str, token: _Token) -> Part:
        self.expect("(", f"{name} takes its value in brackets, as in {name}(…): a bracket '('")
        parts = [self.expression(0)]
        while self.take(","):
            parts.append(self.expression(0))
        self.expect(")", "a bracket ')'")
        if len(parts) > 1 and name not in OF_SEVERAL:
            raise self.fault(f"{name} takes one value, not {len(parts)}", token.start)
        if name in TRUTHS_OF_TRUTH and not parts[0].truth:
            raise self.fault(
                f"{name} takes a comparison, as in {name}(w.value < 0)", parts[0].start
            )
        if name not in TRUTHS_OF_TRUTH:
            for part in parts:
                self.as_number(part)
        if name in ("previous", "change"):
            self.only_now(parts[0], token)
        truth = name in (*TRUTHS_OF_TRUTH, *TRUTHS_OF_NUMBER)
        return self.made(name, *parts, start=token.start, truth=truth)

    def only_now(self, part: Part, token: _Token) -> None:
        for inner in part.walk():
            if inner.head in ("previous", "change"):
                raise self.fault(
                    f"{inner.head}(…) cannot stand within '{token.text}': "
                    "only one pass back is known",
                    inner.start,
                )

    def word(self, word: str, start: int) -> Part:
        graph = self.graph
        if word in (*EPOCHAL, "cost") and not graph.of_family("cost"):
            raise self.fault(f"'{word}' is never known here: the graph has no cost", start)
        if word.startswith("test_") and not graph.datasets:
            raise self.fault(f"'{word}' is never known here: the graph has no dataset", start)
        return self.made("word", start=start, value=word, truth=False)

    # -- names

    def name(self, token: _Token) -> Part:
        address = self._address(token.text) or self._only_output(token)
        indices: tuple[int, ...] = ()
        if self.take("["):
            indices = self.indices()
        return self.made("port", start=token.start, value=(address, indices), truth=False)

    def indices(self) -> tuple[int, ...]:
        found: list[int] = []
        while not found or self.take(","):
            token = self.now
            if token.kind != "number" or not token.text.isdecimal() or len(token.text) > 9:
                raise self.fault(
                    "a place is a whole number from 0, as in w.value[0, 1]", token.start
                )
            self.place += 1
            found.append(int(token.text))
        self.expect("]", "a bracket ']'")
        return tuple(found)

    def _only_output(self, token: _Token) -> str:
        name, at = token.text, token.start
        ports = self._outputs(name)
        if len(ports) == 1:
            return f"{name}.{ports[0]}"
        if name in self.graph.nodes:
            if not ports:
                raise self.fault(f"node '{name}' has no output, so it has no value", at)
            raise self.fault(f"node '{name}' has several outputs: write {name}.{ports[0]}", at)
        if self.now.text == "(" and self.now.start == token.end:
            raise self.fault(f"there is no function '{name}'{nearest(name.lower(), FUNCTIONS)}", at)
        node, _, port = name.rpartition(".")
        if own := self._outputs(node):
            there = ", ".join(f"{node}.{each}" for each in own)
            raise self.fault(f"node '{node}' has no output '{port}'; there is {there}", at)
        known = [f"{key}.{port}" for key in self.graph.nodes for port in self._outputs(key)]
        hint = nearest(name, [*known, *self.graph.nodes, *WORDS])
        minus = " (a minus after a name needs a space before it)" if "-" in name else ""
        raise self.fault(f"there is no value '{name}'{minus}{hint}", at)
