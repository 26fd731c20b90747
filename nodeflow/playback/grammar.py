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

A page that computes reads conditions as well, by the same tables: `language` is what it is given
(`export/player/conditions.js`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from nodeflow import formula as formulas
from nodeflow.errors import CONDITION_FAILS, ConditionError, nearest
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
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SIGN = r"\*\*|<=|>=|==|!=|[-+*/^<>=(),\[\]≤≥≠−×·÷]"
_NAME = r"[^\W\d_](?:[\w.\-]|[^\x00-\x7f\s≤≥≠−×·÷])*"
_TOKEN = re.compile(rf"(?P<space>\s+)|(?P<number>{_NUMBER})|(?P<name>{_NAME})|(?P<sign>{_SIGN})")
_SAME = {"≤": "<=", "≥": ">=", "≠": "!=", "=": "=="}
_SAME |= {"−": "-", "×": "*", "·": "*", "÷": "/", "^": "**"}
_OR, _AND, _NOT, _RELATION, _SUM, _PRODUCT, _NEGATIVE, _POWER = range(1, 9)
_BINDS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_BINDS |= dict.fromkeys((*RELATIONS, *CHANGES), _RELATION)
_SENTENCES = {
    "too long": "it has {count} characters, at most {most} are read",
    "no sign": "'{sign}' means nothing here",
    "no condition": "nothing was typed: write one such as cost < 0.01",
    "no expression": "nothing was typed: write one such as w.value[0, 1] or cost < 0.01",
    "end": "the end",
    "no operator": "an operator is missing before {next}",
    "no value": "a value is missing before {next}",
    "no bracket": "a bracket '{sign}' is missing before {next}",
    "no call": "{name} takes its value in brackets, as in {name}(…): a bracket '(' is missing "
    "before {next}",
    "no truth": "'{what}' is a value, neither true nor false: compare it, as in {what} < 1",
    "no number": "'{what}' is true or false where a value is wanted",
    "too deep": "it is nested more than {most} deep",
    "too many": "{name} takes one value, not {count}",
    "no comparison": "{name} takes a comparison, as in {name}(w.value < 0)",
    "within": "{head}(…) cannot stand within '{name}': only one pass back is known",
    "now alone": "a value before this moment is not known here",
    "no cost": "'{word}' is never known here: the graph has no cost",
    "no dataset": "'{word}' is never known here: the graph has no dataset",
    "no place": "a place is a whole number from 0, as in w.value[0, 1]",
    "no output": "node '{node}' has no output, so it has no value",
    "several outputs": "node '{node}' has several outputs: write {one}",
    "no function": "there is no function '{name}'{hint}",
    "no such output": "node '{node}' has no output '{port}'; there is {there}",
    "unknown": "there is no value '{name}'{minus}{hint}",
    "minus": " (a minus after a name needs a space before it)",
    "not there": "'{address}' is {size}: it has no [{places}]",
    "cannot meet": "values of {sizes} numbers cannot meet: pick numbers, as in x[0]",
}


def said(name: str, /, **parts: object) -> str:
    """Return what keeps a condition from being read or judged."""
    return _SENTENCES[name].format(**parts)


def language() -> dict[str, Any]:
    """Return the tables by which conditions are read, as plain data."""
    return {
        "number": _NUMBER,
        "sign": _SIGN,
        "same": _SAME,
        "binds": _BINDS,
        "not": _NOT,
        "relation": _RELATION,
        "negative": _NEGATIVE,
        "power": _POWER,
        "relations": RELATIONS,
        "changes": CHANGES,
        "functions": FUNCTIONS,
        "ofSeveral": OF_SEVERAL,
        "truthsOfNumber": TRUTHS_OF_NUMBER,
        "truthsOfTruth": TRUTHS_OF_TRUTH,
        "epochal": EPOCHAL,
        "words": WORDS,
        "keywords": _KEYWORDS,
        "longest": LONGEST,
        "deepest": DEEPEST,
        "sentences": {"fails": CONDITION_FAILS, **_SENTENCES},
    }


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
    return _Reader(text, graph).whole("expression")


class _Reader:
    def __init__(self, text: str, graph: Graph) -> None:
        self.text, self.graph = text, graph
        if len(text) > LONGEST:
            raise self.fault("too long", LONGEST, count=len(text), most=LONGEST)
        self.level = 0
        self.tokens = list(self._tokens())
        self.place = 0

    def fault(self, name: str, position: int, /, **parts: object) -> ConditionError:
        return ConditionError(said(name, **parts), text=self.text, position=position)

    # -- tokens

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise self.fault("no sign", at, sign=self.text[at])
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

    def expect(self, sign: str) -> _Token:
        found = self.take(sign)
        if found is None:
            raise self.fault("no bracket", self.now.start, sign=sign, next=self._next())
        return found

    def _next(self) -> str:
        return f"'{self.now.text}'" if self.now.kind != "end" else said("end")

    # -- parts

    def made(self, head: str, *parts: Part, start: int, value: Any = None, truth: bool) -> Part:
        """Return a part that ends where the last token did."""
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > DEEPEST:
            raise self.fault("too deep", start, most=DEEPEST)
        return Part(head, parts, value, truth, start, self.tokens[self.place - 1].end, depth)

    def condition(self) -> Part:
        return self.as_truth(self.whole("condition"))

    def whole(self, what: str) -> Part:
        if self.now.kind == "end":
            raise self.fault(f"no {what}", 0)
        found = self.expression(0)
        if self.now.kind != "end":
            raise self.fault("no operator", self.now.start, next=self._next())
        return found

    def as_truth(self, part: Part) -> Part:
        if not part.truth:
            raise self.fault("no truth", part.start, what=self.text[part.start : part.end])
        return part

    def as_number(self, part: Part) -> Part:
        if part.truth:
            raise self.fault("no number", part.start, what=self.text[part.start : part.end])
        return part

    def expression(self, level: int) -> Part:
        """Read on as long as operators bind more tightly than `level`."""
        self.level += 1
        if self.level > DEEPEST:
            raise self.fault("too deep", self.now.start, most=DEEPEST)
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
                end = self.expect(")").end
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
        raise self.fault("no value", start, next=self._next())

    def nan_appears(self, start: int) -> Part:
        self.take("appears")
        inside = [self.as_number(self.expression(_RELATION))] if self.take("in") else []
        return self.made("nan appears", *inside, start=start, truth=True)

    def call(self, name: str, token: _Token) -> Part:
        if not self.take("("):
            raise self.fault("no call", self.now.start, name=name, next=self._next())
        parts = [self.expression(0)]
        while self.take(","):
            parts.append(self.expression(0))
        self.expect(")")
        if len(parts) > 1 and name not in OF_SEVERAL:
            raise self.fault("too many", token.start, name=name, count=len(parts))
        if name in TRUTHS_OF_TRUTH and not parts[0].truth:
            raise self.fault("no comparison", parts[0].start, name=name)
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
                raise self.fault("within", inner.start, head=inner.head, name=token.text)

    def word(self, word: str, start: int) -> Part:
        graph = self.graph
        if word in (*EPOCHAL, "cost") and not graph.of_family("cost"):
            raise self.fault("no cost", start, word=word)
        if word.startswith("test_") and not graph.datasets:
            raise self.fault("no dataset", start, word=word)
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
                raise self.fault("no place", token.start)
            self.place += 1
            found.append(int(token.text))
        self.expect("]")
        return tuple(found)

    def _only_output(self, token: _Token) -> str:
        name, at = token.text, token.start
        ports = self._outputs(name)
        if len(ports) == 1:
            return f"{name}.{ports[0]}"
        if name in self.graph.nodes:
            if not ports:
                raise self.fault("no output", at, node=name)
            raise self.fault("several outputs", at, node=name, one=f"{name}.{ports[0]}")
        if self.now.text == "(" and self.now.start == token.end:
            raise self.fault("no function", at, name=name, hint=nearest(name.lower(), FUNCTIONS))
        node, _, port = name.rpartition(".")
        if own := self._outputs(node):
            there = ", ".join(f"{node}.{each}" for each in own)
            raise self.fault("no such output", at, node=node, port=port, there=there)
        known = [f"{key}.{port}" for key in self.graph.nodes for port in self._outputs(key)]
        hint = nearest(name, [*known, *self.graph.nodes, *WORDS])
        minus = said("minus") if "-" in name else ""
        raise self.fault("unknown", at, name=name, minus=minus, hint=hint)
