"""Kernel functions become LLVM's assembly: a translation of the small language, name by name.

Nothing is reordered, contracted or approximated: each operation becomes the instruction of the
same name, without fast-math flags, so the machine code gives the bits that Python gives. Types
follow from annotations; a variable has the type of what it is given first.

Scalar functions exist in two shapes, for one number and for eight. A function that takes another
one (`Function`) is translated anew for each.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator as arithmetic
import struct
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import Any

from nodeflow.engine.kernel import language
from nodeflow.engine.kernel.language import CONTEXT, INTRINSICS, wrap

WIDTH = 16
"""Columns of a row: the operation, then its operands."""
_WHOLE, _TRUTH, _REAL, _DOUBLE = "whole", "truth", "real", "double"
_REALS, _DOUBLES, _WHOLES, _TRUTHS = "reals", "doubles", "wholes", "truths"  # eight of each
_TABLES = {"Cells": _REAL, "Wholes": _WHOLE, "Doubles": _DOUBLE}
_FIELDS = {
    "order": _WHOLE, "feed": _REAL, "stats": _DOUBLE, "history": _DOUBLE, "states": _REAL,
}  # fmt: skip
_EIGHT = {_WHOLE: _WHOLES, _TRUTH: _TRUTHS, _REAL: _REALS, _DOUBLE: _DOUBLES}
_ONE = {eight: one for one, eight in _EIGHT.items()}
ROW_SIGNATURE = (
    "(ptr noalias %cells, ptr noalias readonly %row, ptr noalias %context, i64 %samples)"
)
_LANES = 8
_UNROLLED = 16
"""Loops of at most so many rounds, all known, are written out."""
_FOLDED: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: arithmetic.add, ast.Sub: arithmetic.sub, ast.Mult: arithmetic.mul,
    ast.FloorDiv: arithmetic.floordiv, ast.Mod: arithmetic.mod, ast.LShift: arithmetic.lshift,
    ast.RShift: arithmetic.rshift, ast.BitAnd: arithmetic.and_, ast.BitOr: arithmetic.or_,
    ast.BitXor: arithmetic.xor, ast.Lt: arithmetic.lt, ast.LtE: arithmetic.le,
    ast.Gt: arithmetic.gt, ast.GtE: arithmetic.ge, ast.Eq: arithmetic.eq, ast.NotEq: arithmetic.ne,
}  # fmt: skip
KernelFunction = Callable[..., Any]


@dataclass(frozen=True)
class _Value:
    """A value in the assembly: its type, and its name or the constant itself."""

    type: str
    text: str
    number: int | float | None = None
    """What a constant is, which takes the type that it meets."""


def _whole(number: int) -> _Value:
    return _Value(_WHOLE, str(number), number)


def _truth(truth: bool) -> _Value:  # noqa: FBT001 (what it is about)
    return _Value(_TRUTH, "true" if truth else "false", truth)


@dataclass
class _Local:
    type: str
    place: str


_Known = tuple[KernelFunction, KernelFunction | None, Sequence[int]]
"""A row with its operands: its function, the scalar function that it applies, the operands."""


class Unsupported(Exception):
    """A kernel function uses something that the language does not have."""


@dataclass
class Module:
    """Assembly under construction, for one precision."""

    real: str
    """"double" or "float"."""
    done: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    named: dict[KernelFunction, str] = field(default_factory=dict)
    """Each function and its name: that of a function that joined may be another one's, too."""
    open: list[str] = field(default_factory=list)
    """What is being translated at the moment."""

    def type(self, name: str) -> str:
        """Return LLVM's name of a type."""
        one = {_WHOLE: "i64", _TRUTH: "i1", _REAL: self.real, _DOUBLE: "double"}
        return one[name] if name in one else f"<{_LANES} x {one[_ONE[name]]}>"

    def name(self, function: KernelFunction) -> str:
        """Return the name that a function has in this module alone."""
        if function not in self.named:
            name, taken = function.__name__, self.named.values()
            self.named[function] = (
                f"{len(self.named)}.{name if name.isascii() else ''}"
                if name in taken or not name.isascii()
                else name
            )
        return self.named[function]

    def scalar(self, function: KernelFunction, *, eight: bool) -> str:
        """Translate a scalar function for one number or for eight; return its name."""
        name = f'@"{self.name(function)}.{"eight" if eight else "one"}"'
        if name in self.open:
            raise Unsupported(f"{function.__name__}: calls itself")
        if name in self.done:
            return name
        self.done[name] = name
        self.open.append(name)
        self._scalar(function, name, eight=eight)
        self.open.pop()
        return name

    def _scalar(self, function: KernelFunction, name: str, *, eight: bool) -> None:
        kind = _DOUBLES if eight else _DOUBLE
        names = list(inspect.signature(function).parameters)
        if eight and getattr(function, "branching", False):
            self._lane_by_lane(function, name, names)
            return
        attribute = "" if getattr(function, "branching", False) else " alwaysinline"
        body = _Body(self, function, {}, _DOUBLE, eight=eight)
        for number, parameter in enumerate(names):
            body.take(parameter, _Value(kind, f"%given{number}"))
        text = body.translated(kind)
        heads = ", ".join(f"{self.type(kind)} %given{number}" for number in range(len(names)))
        self.parts.append(
            f"define internal {self.type(kind)} {name}({heads}){attribute} nounwind {{\n{text}}}\n"
        )

    def _lane_by_lane(self, function: KernelFunction, name: str, names: Sequence[str]) -> None:
        one, wide = self.scalar(function, eight=False), self.type(_DOUBLES)
        lines, result = [], "poison"
        for lane in range(_LANES):
            given = []
            for number in range(len(names)):
                given.append(f"double %given{number}.{lane}")
                lines.append(
                    f"  %given{number}.{lane} = extractelement {wide} %given{number}, i64 {lane}"
                )
            lines.append(f"  %result.{lane} = call double {one}({', '.join(given)})")
            lines.append(
                f"  %all.{lane} = insertelement {wide} {result}, double %result.{lane}, i64 {lane}"
            )
            result = f"%all.{lane}"
        heads = ", ".join(f"{wide} %given{number}" for number in range(len(names)))
        body = "\n".join((*lines, f"  ret {wide} {result}"))
        self.parts.append(f"define internal {wide} {name}({heads}) nounwind {{\n{body}\n}}\n")

    def helper(
        self,
        function: KernelFunction,
        bound: Mapping[str, KernelFunction],
        known: Mapping[str, int],
    ) -> str:
        """Translate a function that rows call, always inline; return its name.

        `bound` are the functions that it is given, `known` the whole numbers that are constant.
        """
        name = self._named(function, bound, known)
        if name in self.done:
            return name
        self.done[name] = name
        doubles = "Double" in map(str, function.__annotations__.values())
        body = _Body(self, function, bound, _DOUBLE if doubles else _REAL)
        heads = []
        for parameter, annotation in _parameters(function):
            if parameter in bound:
                continue
            if annotation in (*_TABLES, "Context"):
                noalias = " noalias" if annotation in ("Cells", "Context") else ""
                heads.append(f"ptr{noalias} %{parameter}")
                body.table(parameter, annotation, f"%{parameter}")
            elif parameter in known:
                body.constant(parameter, known[parameter])
            else:
                kind = _annotated(annotation)
                heads.append(f"{self.type(kind)} %{parameter}")
                body.take(parameter, _Value(kind, f"%{parameter}"))
        result = _annotated(_annotation(function, "return"))
        text = body.translated(result)
        shown = self.type(result) if result else "void"
        apart = getattr(function, "branching", False) or getattr(function, "called", False)
        inline = "noinline " if apart else "alwaysinline "
        self.parts.append(
            f"define internal {shown} {name}({', '.join(heads)}) {inline}nounwind {{\n{text}}}\n"
        )
        return name

    def _named(
        self,
        function: KernelFunction,
        bound: Mapping[str, KernelFunction],
        known: Mapping[str, int],
    ) -> str:
        given = (*map(self.name, bound.values()), *(f"{n}={known[n]}" for n in known))
        return f'@"help.{".".join((self.name(function), *given))}"'

    def row(
        self,
        name: str,
        function: KernelFunction,
        scalar: KernelFunction | None,
        *,
        public: bool = False,
    ) -> None:
        """Translate the function of a row, and its link to the row behind it."""
        bound = {} if scalar is None else {"function": scalar}
        body = _Body(self, function, bound, _REAL)
        for parameter, annotation in _parameters(function):
            if parameter in bound:
                continue
            if annotation in ("Cells", "Context"):
                body.table(parameter, annotation, f"%{parameter}")
        for number, operand in enumerate(operands_of(function), 1):
            body.operand(operand, number)
        text = body.translated(None)
        self.parts.append(
            f"define internal void @do.{name}{ROW_SIGNATURE} alwaysinline nounwind {{\n{text}}}\n"
            f"define {'' if public else 'internal '}void @row.{name}{ROW_SIGNATURE} nounwind {{\n"
            f"  call void @do.{name}(ptr %cells, ptr %row, ptr %context, i64 %samples)\n"
            f"  %next = getelementptr inbounds i64, ptr %row, i64 {WIDTH}\n"
            "  %function = load ptr, ptr %next\n"
            "  musttail call void %function(ptr %cells, ptr %next, ptr %context, i64 %samples)\n"
            "  ret void\n}\n"
        )

    def straight(self, part: str, rows: Sequence[_Known], samples: int) -> None:
        """Add a function that runs a part of a tape, its rows written out with their operands."""
        calls = []
        for number, (function, scalar, operands) in enumerate(rows):
            bound = {} if scalar is None else {"function": scalar}
            body = _Body(self, function, bound, _REAL)
            for parameter, annotation in _parameters(function):
                if parameter not in bound and annotation in ("Cells", "Context"):
                    body.table(parameter, annotation, f"%{parameter}")
            for name, operand in zip(operands_of(function), operands, strict=True):
                body.constant(name, samples if name == "rows" and operand == 0 else operand)
            text = body.translated(None)
            self.parts.append(
                f"define internal void @{part}.{number}(ptr noalias %cells, "
                f"ptr noalias %context) alwaysinline nounwind {{\n{text}}}\n"
            )
            calls.append(f"  call void @{part}.{number}(ptr %cells, ptr %context)\n")
        self.parts.append(
            f"define internal void @run_{part}(ptr noalias %cells, ptr noalias %context) "
            f"nounwind {{\n{''.join(calls)}  ret void\n}}\n"
        )

    def entry(self, function: KernelFunction) -> None:
        """Translate a function that is called from outside."""
        name = self.helper(function, {}, {})
        heads, given = [], []
        for parameter, annotation in _parameters(function):
            pointer = annotation in (*_TABLES, "Context")
            kind = "ptr" if pointer else self.type(_annotated(annotation))
            heads.append(f"{kind} %{parameter}")
            given.append(f"{kind} %{parameter}")
        self.parts.append(
            f"define void @{function.__name__}({', '.join(heads)}) nounwind {{\n"
            f"  call void {name}({', '.join(given)})\n  ret void\n}}\n"
        )

    def end(self) -> None:
        """Add the row at which a run of rows ends."""
        self.parts.append(f"define void @row.end{ROW_SIGNATURE} nounwind {{\n  ret void\n}}\n")

    def runner(self, part: str) -> None:
        """Add the function that runs a part of a tape, from a row that the context names on."""
        self.parts.append(
            f"define internal void @run_{part}(ptr %cells, ptr %context) nounwind {{\n"
            f"  %place = getelementptr i64, ptr %context, i64 {CONTEXT.index(part)}\n"
            "  %row = load ptr, ptr %place\n"
            f"  %held = getelementptr i64, ptr %context, i64 {CONTEXT.index('samples')}\n"
            "  %samples = load i64, ptr %held\n"
            "  %function = load ptr, ptr %row\n"
            "  call void %function(ptr %cells, ptr %row, ptr %context, i64 %samples)\n"
            "  ret void\n}\n"
        )

    def run(self) -> None:
        """Add the function that runs rows from one on, as far as the row that ends them."""
        self.parts.append(
            "define void @run(ptr %cells, ptr %row, ptr %context, i64 %samples) nounwind {\n"
            "  %function = load ptr, ptr %row\n"
            "  call void %function(ptr %cells, ptr %row, ptr %context, i64 %samples)\n"
            "  ret void\n}\n"
        )

    def each(self) -> None:
        """Add what trains many runs one after the other: a table of cells and context of each."""
        self.parts.append(
            "define void @each(ptr %train, ptr %table, i64 %count) nounwind {\n"
            "  br label %test\n"
            "test:\n"
            "  %i = phi i64 [0, %0], [%next, %go]\n"
            "  %more = icmp slt i64 %i, %count\n"
            "  br i1 %more, label %go, label %done\n"
            "go:\n"
            "  %line = getelementptr [2 x ptr], ptr %table, i64 %i\n"
            "  %cells = load ptr, ptr %line\n"
            "  %place = getelementptr ptr, ptr %line, i64 1\n"
            "  %context = load ptr, ptr %place\n"
            "  call void %train(ptr %cells, ptr %context)\n"
            "  %next = add i64 %i, 1\n"
            "  br label %test\n"
            "done:\n"
            "  ret void\n}\n"
        )

    def text(self) -> str:
        """Return the assembly."""
        return "\n".join((*self.parts, *_INTRINSIC_DECLARATIONS))

    def reader(self) -> str:
        """Add the function that reads up to eight cells one by one; return its name.

        What was written a moment ago as single cells is at hand only for reads of single cells.
        """
        name = "@first_lanes"
        if name not in self.done:
            self.done[name] = name
            wide, scalar = self.type(_REALS), self.real
            cases = " ".join(f"i64 {count}, label %read{count}" for count in range(1, _LANES))
            lines = [f"  switch i64 %count, label %all [{cases}]", "all:"]
            lines += [f"  %v = load {wide}, ptr %place, align {self.size}", f"  ret {wide} %v"]
            for count in range(1, _LANES):
                found = "poison"
                lines.append(f"read{count}:")
                for lane in range(count):
                    mark = f"{count}.{lane}"
                    lines += [
                        f"  %p{mark} = getelementptr inbounds {self.real}, ptr %place, i64 {lane}",
                        f"  %x{mark} = load {self.real}, ptr %p{mark}",
                        f"  %v{mark} = insertelement {wide} {found}, {scalar} %x{mark}, i64 {lane}",
                    ]
                    found = f"%v{mark}"
                lines.append(f"  ret {wide} {found}")
            self._inline(f"{wide} {name}(ptr %place, i64 %count)", lines)
        return name

    def writer(self) -> str:
        """Add the function that writes up to eight cells one by one; return its name."""
        name = "@put_first"
        if name not in self.done:
            self.done[name] = name
            wide = self.type(_REALS)
            lines = [
                f"  %many = icmp uge i64 %count, {_LANES}",
                "  br i1 %many, label %all, label %write0",
                "all:",
                f"  store {wide} %v, ptr %place, align {self.size}",
                "  ret void",
            ]
            for lane in range(_LANES - 1):
                lines += [
                    f"write{lane}:",
                    f"  %p{lane} = getelementptr inbounds {self.real}, ptr %place, i64 {lane}",
                    f"  %x{lane} = extractelement {wide} %v, i64 {lane}",
                    f"  store {self.real} %x{lane}, ptr %p{lane}",
                    f"  %more{lane} = icmp ugt i64 %count, {lane + 1}",
                    f"  br i1 %more{lane}, label %write{lane + 1}, label %end",
                ]
            lines += [f"write{_LANES - 1}:", "  br label %end", "end:", "  ret void"]
            self._inline(f"void {name}(ptr %place, {wide} %v, i64 %count)", lines)
        return name

    def _inline(self, head: str, lines: Sequence[str]) -> None:
        body = "\n".join(lines)
        self.parts.append(f"define internal {head} alwaysinline nounwind {{\n{body}\n}}\n")

    @property
    def size(self) -> int:
        """Bytes of a cell."""
        return 4 if self.real == "float" else 8


_INTRINSIC_DECLARATIONS = (
    "declare double @llvm.sqrt.f64(double)",
    "declare <8 x double> @llvm.sqrt.v8f64(<8 x double>)",
)


def operands_of(function: KernelFunction) -> tuple[str, ...]:
    """Return the names of a row's operands, in the order of its columns."""
    return tuple(name for name, annotation in _parameters(function) if annotation == "Whole")


def _parameters(function: KernelFunction) -> list[tuple[str, str]]:
    names = inspect.signature(function).parameters
    return [(name, _annotation(function, name)) for name in names]


def _annotation(function: KernelFunction, name: str) -> str:
    """Return the annotation of a parameter, or of the result, as it is written."""
    found = function.__annotations__.get(name, "nothing")
    if found is float:  # `Double`, where annotations are evaluated
        return "Double"
    return "None" if found is None else str(found)


_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_joining(function: KernelFunction) -> int:
    """Return how many numbers a scalar function takes, from one to three.

    Raises `Unsupported` where it cannot be compiled, or where Python and machine code would do
    different things.
    """
    _require_function(function)
    parameters = inspect.signature(function).parameters.values()
    if not 1 <= len(parameters) <= 3 or any(p.kind not in _PLAIN for p in parameters):
        raise Unsupported(f"{function.__name__}: takes one, two or three numbers, and nothing else")
    if not is_scalar(function) or _annotation(function, "return") != "Double":
        raise Unsupported(f"{function.__name__}: annotate all parameters and the result as Double")
    module = Module("double")
    module.scalar(function, eight=True)
    for called in module.named:
        if not called.__module__.startswith(f"{__package__}."):
            _check_divisors(called)
    return len(parameters)


def _require_function(function: Any) -> None:
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise Unsupported(
            f"{getattr(function, '__name__', function)}: not a function defined by `def` in Python"
        )
    if function.__closure__:
        raise Unsupported(f"{function.__name__}: uses variables of a function around it")


def _check_divisors(function: KernelFunction) -> None:
    """Refuse quotients that Python may refuse where machine code gives Infinity."""
    for node in ast.walk(_tree(function)):
        if not isinstance(node, ast.BinOp):
            continue
        right = node.right
        fixed = isinstance(right, ast.Constant) and right.value
        if isinstance(node.op, ast.Div) and not fixed:
            raise Unsupported(
                f"{function.__name__}: write divide(x, y) of the kernel's language for "
                f"`{ast.unparse(node)}`, which is defined where the divisor is 0, too"
            )


@cache
def _assigned(node: ast.stmt) -> tuple[str, ...]:
    """Return the variables that a statement, or one inside it, assigns."""
    names = [part.id for part in ast.walk(node)
             if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]  # fmt: skip
    return tuple(dict.fromkeys(names))


@cache
def _tree(function: KernelFunction) -> ast.FunctionDef:
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, IndexError) as error:
        raise Unsupported(f"{function.__name__}: its source cannot be read") from error
    if not isinstance(tree, ast.FunctionDef):
        raise Unsupported(f"{function.__name__}: not a function defined by `def`")
    return tree


def _annotated(annotation: str) -> str:
    found = {
        "Whole": _WHOLE, "Lanes": _REALS, "Real": _REAL, "float": _REAL, "Double": _DOUBLE,
        "None": "",
    }  # fmt: skip
    if annotation not in found:
        raise Unsupported(f"the kernel's language has no type '{annotation}'")
    return found[annotation]


class _Body:
    """The statements of one function, translated in order."""

    def __init__(
        self,
        module: Module,
        function: KernelFunction,
        bound: Mapping[str, KernelFunction],
        plain: str,
        *,
        eight: bool = False,
    ) -> None:
        self.module, self.function, self.bound = module, function, bound
        self.plain = plain
        """The type of floats in this function: the network's own, or float64 in a scalar one."""
        self.eight = eight
        self.globals = function.__globals__
        self.locals: dict[str, _Local] = {}
        self.known: dict[str, int] = {}
        """Whole numbers that variables are known to hold at this place of the translation."""
        self.tables: dict[str, tuple[str, str]] = {}
        self.allocated: list[str] = []
        self.lines: list[str] = []
        self.count = 0
        self.closed = False
        self.result: str | None = None

    # -- parameters

    def take(self, name: str, value: _Value) -> None:
        self._set(name, value)

    def table(self, name: str, annotation: str, text: str) -> None:
        self.tables[name] = (_TABLES.get(annotation, "context"), text)

    def operand(self, name: str, number: int) -> None:
        place = self._new(f"getelementptr inbounds i64, ptr %row, i64 {number}")
        value = self._new(f"load i64, ptr {place}, !invariant.load !{{}}")
        if name == "rows":
            empty = self._new(f"icmp eq i64 {value}, 0")
            value = self._new(f"select i1 {empty}, i64 %samples, i64 {value}")
        self._set(name, _Value(_WHOLE, value))

    def constant(self, name: str, number: int) -> None:
        self._set(name, _whole(number))

    # -- the whole

    def translated(self, result: str | None) -> str:
        self.result = result
        self._block(_tree(self.function).body)
        if not self.closed and result:
            raise Unsupported(f"{self.function.__name__}: may end without a result")
        if not self.closed:
            self._say("ret void")
        return "\n".join(("entry:", *self.allocated, *self.lines, ""))

    def _fail(self, node: ast.AST, what: str) -> Unsupported:
        shown = ast.unparse(node).partition("\n")[0]
        return Unsupported(f"{self.function.__name__}: {what} in `{shown}`")

    def _new(self, instruction: str) -> str:
        self.count += 1
        self.lines.append(f"  %.{self.count} = {instruction}")
        return f"%.{self.count}"

    def _say(self, instruction: str) -> None:
        self.lines.append(f"  {instruction}")

    def _label(self, name: str) -> str:
        self.count += 1
        return f"{name}{self.count}"

    def _open(self, label: str) -> None:
        if not self.closed:
            self._say(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.closed = False

    def _set(self, name: str, value: _Value) -> None:
        if name not in self.locals:
            kind = value.type
            if value.number is not None:
                whole = isinstance(value.number, int) and value.type == _WHOLE
                kind = _WHOLE if whole else self.plain
                if self.eight:
                    kind = _EIGHT[kind]
            self.count += 1
            place = f"%v{self.count}.{name if name.isascii() else ''}"
            self.allocated.append(f"  {place} = alloca {self.module.type(kind)}")
            self.locals[name] = _Local(kind, place)
        local = self.locals[name]
        if local.type == _WHOLE and value.number is not None:
            self.known[name] = int(value.number)
            return
        self.known.pop(name, None)
        given = self._as(value, local.type)
        self._say(f"store {self.module.type(local.type)} {given}, ptr {local.place}")

    def _forget(self, *nodes: ast.stmt) -> None:
        """Let variables that are assigned in some statements be known no more."""
        for node in nodes:
            for name in _assigned(node):
                self._unknown(name)

    def _unknown(self, name: str) -> None:
        if name in self.known:
            number = self.known.pop(name)
            self._say(f"store i64 {number}, ptr {self.locals[name].place}")

    # -- types that meet

    def _constant(self, number: float, kind: str) -> str:
        one = _ONE.get(kind, kind)
        if one == _WHOLE:
            text = str(int(number))
        elif one == _TRUTH:
            text = "true" if number else "false"
        else:
            value = float(number)
            if one == _REAL and self.module.real == "float" and math.isfinite(value):
                value = struct.unpack("<f", struct.pack("<f", value))[0]
            text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return f"splat ({self.module.type(one)} {text})" if kind in _ONE else text

    def _as(self, value: _Value, kind: str) -> str:
        """Return a value in another type: a constant, a wider or narrower float, eight alike."""
        if value.number is not None:
            return self._constant(value.number, kind)
        if value.type == kind:
            return value.text
        if kind in _ONE and value.type not in _ONE:
            one = self._as(value, _ONE[kind])
            wide, narrow = self.module.type(kind), self.module.type(_ONE[kind])
            first = self._new(f"insertelement {wide} poison, {narrow} {one}, i64 0")
            return self._new(
                f"shufflevector {wide} {first}, {wide} poison, <8 x i32> zeroinitializer"
            )
        floats = {_REAL: _DOUBLE, _DOUBLE: _REAL, _REALS: _DOUBLES, _DOUBLES: _REALS}
        if floats.get(value.type) != kind:
            raise Unsupported(f"{self.function.__name__}: {value.type} where {kind} is wanted")
        if self.module.real == "double":
            return value.text
        how = "fpext" if kind in (_DOUBLE, _DOUBLES) else "fptrunc"
        return self._new(
            f"{how} {self.module.type(value.type)} {value.text} to {self.module.type(kind)}"
        )

    def _meet(self, node: ast.AST, *values: _Value) -> tuple[str, list[str]]:
        """Return the type that values take together, and each of them in it."""
        kinds = {value.type for value in values if value.number is None}
        if not kinds:
            floats = any(isinstance(value.number, float) for value in values)
            kind = self.plain if floats else _WHOLE
        elif len(kinds) == 1:
            kind = kinds.pop()
        else:
            eight = any(kind in _ONE for kind in kinds)
            ones = {_ONE.get(kind, kind) for kind in kinds}
            if ones == {_REAL, _DOUBLE}:
                ones = {_DOUBLE}
            if len(ones) > 1:
                raise self._fail(node, f"{' and '.join(sorted(kinds))} meet")
            kind = ones.pop()
            kind = _EIGHT[kind] if eight else kind
        return kind, [self._as(value, kind) for value in values]

    # -- statements

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if self.closed:
                return
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._set(name, self._value(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._set(name, self._value(value))
            case ast.Assign(targets=[ast.Subscript() as place], value=value):
                kind, pointer = self._place(place)
                given = self._as(self._value(value), kind)
                self._say(f"store {self.module.type(kind)} {given}, ptr {pointer}")
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr=attribute)], value=value
            ) if self.tables.get(name, ("",))[0] == "context":
                given = self._as(self._value(value), _WHOLE)
                self._say(f"store i64 {given}, ptr {self._field(name, attribute)}")
            case ast.AugAssign(target=ast.Name(id=name) as target, op=operator, value=value):
                read = ast.Name(id=name, ctx=ast.Load())
                both = ast.copy_location(ast.BinOp(read, operator, value), target)
                self._set(name, self._value(both))
            case ast.If(test=test, body=body, orelse=otherwise):
                self._if(test, body, otherwise)
            case ast.While(test=test, body=body, orelse=[]):
                self._while(test, body)
            case ast.For(
                target=ast.Name(id=name),
                iter=ast.Call(func=ast.Name(id="range"), args=bounds),
                orelse=[],
            ):
                self._for(name, bounds, node.body)
            case ast.Return(value=value):
                self._return(value)
            case _:
                raise self._fail(node, "a statement that the kernel's language does not have")

    def _return(self, value: ast.expr | None) -> None:
        if value is None or not self.result:
            self._say("ret void")
        else:
            given = self._as(self._value(value), self.result)
            self._say(f"ret {self.module.type(self.result)} {given}")
        self.closed = True

    def _if(self, test: ast.expr, body: list[ast.stmt], otherwise: list[ast.stmt]) -> None:
        if isinstance(test, ast.Name) and test.id == "COMPILED":
            self._block(body)
            return
        asked = self._value(test)
        if asked.number is not None:
            self._block(body if asked.number else otherwise)
            return
        if asked.type in _ONE:
            raise Unsupported(
                f"{self.function.__name__}: a function that uses `if` or `while` is marked with "
                "@branching of nodeflow.engine.kernel.scalar"
            )
        condition = self._as(asked, _TRUTH)
        self._forget(*body, *otherwise)
        yes, no, behind = self._label("yes"), self._label("no"), self._label("behind")
        self._say(f"br i1 {condition}, label %{yes}, label %{no if otherwise else behind}")
        closed = []
        for label, block in ((yes, body), (no, otherwise)):
            if not block:
                closed.append(False)
                continue
            self.lines.append(f"{label}:")
            self.closed = False
            self._block(block)
            closed.append(self.closed)
            if not self.closed:
                self._forget(*block)
                self._say(f"br label %{behind}")
        self.closed = all(closed)
        if not self.closed:
            self.lines.append(f"{behind}:")

    def _while(self, test: ast.expr, body: list[ast.stmt]) -> None:
        for _ in range(_UNROLLED):
            asked = self._value(test)
            if asked.number is None:
                break
            if not asked.number:
                return
            self._block(body)
        self._forget(*body)
        head, inside, behind = self._label("while"), self._label("do"), self._label("done")
        self._open(head)
        asked = self._value(test)
        if asked.type in _ONE:
            raise Unsupported(
                f"{self.function.__name__}: a function that uses `if` or `while` is marked with "
                "@branching of nodeflow.engine.kernel.scalar"
            )
        condition = self._as(asked, _TRUTH)
        self._say(f"br i1 {condition}, label %{inside}, label %{behind}")
        self.lines.append(f"{inside}:")
        self._block(body)
        if not self.closed:
            self._forget(*body)
            self._say(f"br label %{head}")
        self.closed = False
        self.lines.append(f"{behind}:")

    def _for(self, name: str, bounds: list[ast.expr], body: list[ast.stmt]) -> None:
        given = [self._value(bound) for bound in bounds]
        zero, one = _Value(_WHOLE, "0", 0), _Value(_WHOLE, "1", 1)
        start, stop, step = (zero, given[0], one) if len(given) == 1 else (*given, one)[:3]
        by = step.number
        if by is None:
            raise Unsupported(f"{self.function.__name__}: the step of a range must be a constant")
        if start.number is not None and stop.number is not None:
            numbers = range(int(start.number), int(stop.number), int(by))
            if len(numbers) <= _UNROLLED:
                for number in numbers:
                    self._set(name, _whole(number))
                    self._block(body)
                return
        end = self._as(stop, _WHOLE)
        self._forget(*body)
        self._unknown(name)
        self.count += 1
        counter = f"for.{self.count}"
        self._set(counter, start)
        self._unknown(counter)
        head, inside, behind = self._label("for"), self._label("do"), self._label("done")
        self._open(head)
        place = self.locals[counter].place
        now = self._new(f"load i64, ptr {place}")
        condition = self._new(f"icmp {'slt' if by > 0 else 'sgt'} i64 {now}, {end}")
        self._say(f"br i1 {condition}, label %{inside}, label %{behind}")
        self.lines.append(f"{inside}:")
        self._set(name, _Value(_WHOLE, now))
        self._block(body)
        if not self.closed:
            self._forget(*body)
            onward = self._new(f"add nsw i64 {now}, {by}")
            self._say(f"store i64 {onward}, ptr {place}")
            self._say(f"br label %{head}")
        self.closed = False
        self.lines.append(f"{behind}:")

    # -- places

    def _field(self, name: str, attribute: str) -> str:
        if attribute not in CONTEXT:
            raise Unsupported(f"{self.function.__name__}: a context has no '{attribute}'")
        pointer = self.tables[name][1]
        return self._new(
            f"getelementptr inbounds i64, ptr {pointer}, i64 {CONTEXT.index(attribute)}"
        )

    def _table(self, node: ast.expr) -> tuple[str, str]:
        """Return the type of a table's numbers, and where it begins."""
        match node:
            case ast.Name(id=name) if name in self.tables:
                return self.tables[name]
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in _FIELDS:
                place = self._field(name, attribute)
                return _FIELDS[attribute], self._new(f"load ptr, ptr {place}")
        raise self._fail(node, "no table")

    def _place(self, node: ast.Subscript) -> tuple[str, str]:
        kind, pointer = self._table(node.value)
        index = self._as(self._value(node.slice), _WHOLE)
        shown = self.module.type(kind)
        return kind, self._new(f"getelementptr inbounds {shown}, ptr {pointer}, i64 {index}")

    # -- expressions

    def _value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Constant(value=bool(truth)):
                return _truth(truth)
            case ast.Constant(value=int(number)):
                return _Value(_WHOLE, str(number), number)
            case ast.Constant(value=float(number)):
                return _Value(self.plain, "", number)
            case ast.Name(id=name):
                return self._name(name, node)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self.tables:
                place = self._field(name, attribute)
                return _Value(_WHOLE, self._new(f"load i64, ptr {place}"))
            case ast.Subscript():
                kind, pointer = self._place(node)
                return _Value(kind, self._new(f"load {self.module.type(kind)}, ptr {pointer}"))
            case ast.UnaryOp(op=operator, operand=operand):
                return self._unary(operator, self._value(operand), node)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._binary(operator, self._value(left), self._value(right), node)
            case ast.Compare():
                return self._chain(node)
            case ast.BoolOp(op=operator, values=values):
                return self._logic(operator, values)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self._choice(test, body, otherwise, node)
            case ast.Call():
                found = self._call(node)
                if found is None:
                    raise self._fail(node, "a function without a result")
                return found
        raise self._fail(node, "an expression that the kernel's language does not have")

    def _name(self, name: str, node: ast.expr) -> _Value:
        if name in self.known:
            return _whole(self.known[name])
        if name in self.locals:
            local = self.locals[name]
            kind = self.module.type(local.type)
            return _Value(local.type, self._new(f"load {kind}, ptr {local.place}"))
        if name == "COMPILED":
            return _truth(True)
        number = self.globals.get(name)
        if isinstance(number, int | float) and not isinstance(number, bool):
            kind = _WHOLE if isinstance(number, int) else self.plain
            return _Value(kind, str(number), number)
        raise self._fail(node, f"'{name}' is not known")

    def _unary(self, operator: ast.unaryop, value: _Value, node: ast.AST) -> _Value:
        if isinstance(operator, ast.USub) and value.number is not None:
            return _Value(value.type, "", -value.number)
        kind = self.module.type(value.type)
        if isinstance(operator, ast.Not) and value.number is not None:
            return _truth(not value.number)
        if isinstance(operator, ast.Not):
            both = self._constant(1, value.type)
            return _Value(value.type, self._new(f"xor {kind} {value.text}, {both}"))
        if isinstance(operator, ast.USub):
            if value.type in (_WHOLE, _WHOLES):
                zero = self._constant(0, value.type)
                return _Value(value.type, self._new(f"sub {kind} {zero}, {value.text}"))
            return _Value(value.type, self._new(f"fneg {kind} {value.text}"))
        raise self._fail(node, "an operator that the kernel's language does not have")

    def _binary(self, operator: ast.operator, left: _Value, right: _Value, node: ast.AST) -> _Value:
        if type(left.number) is type(right.number) is int and type(operator) in _FOLDED:
            return _whole(wrap(_FOLDED[type(operator)](left.number, right.number)))
        kind, (a, b) = self._meet(node, left, right)
        wholes = {
            ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "udiv",
            ast.Mod: "urem", ast.LShift: "shl", ast.RShift: "ashr", ast.BitAnd: "and",
            ast.BitOr: "or", ast.BitXor: "xor",
        }  # fmt: skip
        floats = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
        known = wholes if kind in (_WHOLE, _WHOLES) else floats
        if type(operator) not in known:
            raise self._fail(node, f"no such operation on {kind}")
        return _Value(kind, self._new(f"{known[type(operator)]} {self.module.type(kind)} {a}, {b}"))

    def _chain(self, node: ast.Compare) -> _Value:
        """Return whether a < b < c …, each value computed once."""
        values = [self._value(part) for part in (node.left, *node.comparators)]
        found = [
            self._compare(operator, left, right, node)
            for operator, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        both = found[0]
        for other in found[1:]:
            kind, (a, b) = self._meet(node, both, other)
            both = _Value(kind, self._new(f"and {self.module.type(kind)} {a}, {b}"))
        return both

    def _compare(self, operator: ast.cmpop, left: _Value, right: _Value, node: ast.AST) -> _Value:
        if type(left.number) is type(right.number) is int and type(operator) in _FOLDED:
            return _truth(_FOLDED[type(operator)](left.number, right.number))
        kind, (a, b) = self._meet(node, left, right)
        names = {
            ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
        }  # fmt: skip
        if type(operator) not in names:
            raise self._fail(node, "a comparison that the kernel's language does not have")
        name = names[type(operator)]
        if kind in (_REAL, _DOUBLE, _REALS, _DOUBLES):
            how = f"fcmp {'une' if name == 'ne' else 'o' + name}"
        else:
            how = f"icmp {name if name in ('eq', 'ne') else 's' + name}"
        truth = _TRUTHS if kind in _ONE else _TRUTH
        return _Value(truth, self._new(f"{how} {self.module.type(kind)} {a}, {b}"))

    def _logic(self, operator: ast.boolop, nodes: Sequence[ast.expr]) -> _Value:
        ends = isinstance(operator, ast.Or)  # the truth that decides at once
        found: _Value | None = None
        for node in nodes:
            value = self._value(node)
            if value.number is not None:
                if bool(value.number) is ends:
                    return _truth(ends)
                continue
            if found is None:
                found = value
                continue
            kind, (a, b) = self._meet(node, found, value)
            how = "or" if ends else "and"
            found = _Value(kind, self._new(f"{how} {self.module.type(kind)} {a}, {b}"))
        return found if found is not None else _truth(not ends)

    def _choice(self, test: ast.expr, body: ast.expr, otherwise: ast.expr, node: ast.AST) -> _Value:
        condition = self._value(test)
        if condition.number is not None:
            return self._value(body if condition.number else otherwise)
        yes, no = self._value(body), self._value(otherwise)
        kind, (a, b) = self._meet(node, yes, no)
        if condition.type == _TRUTHS and kind not in _ONE:
            kind = _EIGHT[kind]
            a, b = (self._as(value, kind) for value in (yes, no))
        shown = self.module.type(kind)
        asked = self.module.type(condition.type)
        return _Value(kind, self._new(f"select {asked} {condition.text}, {shown} {a}, {shown} {b}"))

    # -- calls

    def _function(self, node: ast.expr) -> KernelFunction:
        """Return the Python function that an expression names."""
        found: Any = None
        match node:
            case ast.Name(id=name) if name in self.bound:
                return self.bound[name]
            case ast.Name(id=name) if callable(self.globals.get(name)):
                found = self.globals[name]
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                found = getattr(self.globals.get(name), attribute, None)
        if found is None:
            raise self._fail(node, "an unknown function")
        _require_function(found)
        known: KernelFunction = found
        return known

    def _call(self, node: ast.Call) -> _Value | None:
        if node.keywords:
            raise self._fail(node, "arguments by name")
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr="call") if name in self.tables:
                pointer = self._new(f"load ptr, ptr {self._field(name, 'call')}")
                number = self._as(self._value(node.args[0]), _WHOLE)
                self._say(f"call void {pointer}(i64 {number})")
                return None
        function = self._function(node.func)
        if function.__module__ == language.__name__ and function.__name__ in INTRINSICS:
            return self._intrinsic(function.__name__, node)
        if is_scalar(function):
            return self._scalar(function, node)
        return self._helper(function, node)

    def _scalar(self, function: KernelFunction, node: ast.Call) -> _Value:
        if len(node.args) != len(inspect.signature(function).parameters):
            raise self._fail(node, "not as many arguments as parameters")
        values = [self._value(argument) for argument in node.args]
        eight = self.eight or any(value.type in _ONE for value in values)
        kind = _DOUBLES if eight else _DOUBLE
        name = self.module.scalar(function, eight=eight)
        shown = self.module.type(kind)
        given = ", ".join(f"{shown} {self._as(value, kind)}" for value in values)
        found = _Value(kind, self._new(f"call {shown} {name}({given})"))
        if self.plain == _DOUBLE:
            return found
        narrow = _REALS if eight else _REAL  # rounded once, to the network's own precision
        return _Value(narrow, self._as(found, narrow))

    def _helper(self, function: KernelFunction, node: ast.Call) -> _Value | None:
        parameters = _parameters(function)
        if len(node.args) != len(parameters):
            raise self._fail(node, "not as many arguments as parameters")
        bound = {
            name: self._function(argument)
            for (name, annotation), argument in zip(parameters, node.args, strict=True)
            if annotation == "Function"
        }
        given, known = [], {}
        for (parameter, annotation), argument in zip(parameters, node.args, strict=True):
            if annotation == "Function":
                continue
            if annotation == "Context" or annotation in _TABLES:
                given.append(f"ptr {self._table(argument)[1]}")
            else:
                kind = _annotated(annotation)
                value = self._value(argument)
                if kind == _WHOLE and value.number is not None:
                    known[parameter] = int(value.number)
                else:
                    given.append(f"{self.module.type(kind)} {self._as(value, kind)}")
        name = self.module.helper(function, bound, known)
        result = _annotated(_annotation(function, "return"))
        if not result:
            self._say(f"call void {name}({', '.join(given)})")
            return None
        shown = self.module.type(result)
        return _Value(result, self._new(f"call {shown} {name}({', '.join(given)})"))

    def _intrinsic(self, name: str, node: ast.Call) -> _Value | None:
        if name in ("run_head", "run_tail", "run_test"):
            pointer = self.tables["context"][1]
            self._say(f"call void @{name}(ptr {self.tables['cells'][1]}, ptr {pointer})")
            return None
        arguments = list(node.args)
        if name in ("lanes", "first_lanes", "put_first"):
            pointer = self._table(arguments.pop(0))[1]
            index = self._as(self._value(arguments.pop(0)), _WHOLE)
            place = self._new(
                f"getelementptr inbounds {self.module.real}, ptr {pointer}, i64 {index}"
            )
        values = [self._value(argument) for argument in arguments]
        eight = self.eight or any(value.type in _ONE for value in values)
        reals, size = self.module.type(_REALS), self.module.size
        match name:
            case "first_lanes":
                count = self._as(values[0], _WHOLE)
                reader = self.module.reader()
                return _Value(_REALS, self._new(f"call {reals} {reader}(ptr {place}, i64 {count})"))
            case "put_first":
                given, count = self._as(values[0], _REALS), self._as(values[1], _WHOLE)
                writer = self.module.writer()
                self._say(f"call void {writer}(ptr {place}, {reals} {given}, i64 {count})")
                return None
            case "lanes":
                return _Value(_REALS, self._new(f"load {reals}, ptr {place}, align {size}"))
            case "spread":
                return _Value(_REALS, self._as(values[0], _REALS))
            case "add_first" | "add_at":
                total, other = (self._as(value, _REALS) for value in values[:2])
                mask = self._first(values[2], "ult" if name == "add_first" else "eq")
                both = self._new(f"fadd {reals} {total}, {other}")
                return _Value(
                    _REALS, self._new(f"select <8 x i1> {mask}, {reals} {both}, {reals} {total}")
                )
            case "set_lane":
                vector, number = values[0].text, self._as(values[2], _WHOLE)
                one = self._as(values[1], _REAL)
                return _Value(
                    _REALS,
                    self._new(
                        f"insertelement {reals} {vector}, {self.module.real} {one}, i64 {number}"
                    ),
                )
            case "lane":
                vector, number = values[0].text, self._as(values[1], _WHOLE)
                return _Value(_REAL, self._new(f"extractelement {reals} {vector}, i64 {number}"))
            case "wrap":
                return values[0]
            case "divide":
                return self._binary(ast.Div(), values[0], values[1], node)
            case "to_real" | "to_double":
                kind = _DOUBLE if name == "to_double" else _REAL
                return self._converted("sitofp", values[0], _WHOLE, kind, eight=eight)
            case "to_whole":
                return self._converted("fptosi", values[0], _DOUBLE, _WHOLE, eight=eight)
            case "bits":
                return self._converted("bitcast", values[0], _DOUBLE, _WHOLE, eight=eight)
            case "from_bits":
                return self._converted("bitcast", values[0], _WHOLE, _DOUBLE, eight=eight)
            case "sqrt":
                kind = _DOUBLES if eight else _DOUBLE
                shown, suffix = self.module.type(kind), "v8f64" if eight else "f64"
                given = self._as(values[0], kind)
                return _Value(kind, self._new(f"call {shown} @llvm.sqrt.{suffix}({shown} {given})"))
            case "shift_right":
                kind, (a, b) = self._meet(node, *values)
                return _Value(kind, self._new(f"lshr {self.module.type(kind)} {a}, {b}"))
            case "multiply_high":
                a, b = (self._as(value, _WHOLE) for value in values)
                x, y = (self._new(f"zext i64 {text} to i128") for text in (a, b))
                product = self._new(f"mul i128 {x}, {y}")
                upper = self._new(f"lshr i128 {product}, 64")
                return _Value(_WHOLE, self._new(f"trunc i128 {upper} to i64"))
        raise self._fail(node, "an intrinsic without instructions")

    def _first(self, count: _Value, how: str = "ult") -> str:
        wide = self._as(count, _WHOLES)
        numbers = ", ".join(f"i64 {lane}" for lane in range(_LANES))
        return self._new(f"icmp {how} <8 x i64> <{numbers}>, {wide}")

    def _converted(
        self, how: str, value: _Value, source: str, target: str, *, eight: bool
    ) -> _Value:
        if eight:
            source, target = _EIGHT[source], _EIGHT[target]
        given = self._as(value, source)
        before, behind = self.module.type(source), self.module.type(target)
        return _Value(target, self._new(f"{how} {before} {given} to {behind}"))


def is_scalar(function: KernelFunction) -> bool:
    """Return whether a function works on single numbers only."""
    names = inspect.signature(function).parameters
    return bool(names) and all(_annotation(function, name) == "Double" for name in names)
