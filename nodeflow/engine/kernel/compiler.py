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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nodeflow.engine.kernel.language import CONTEXT
from nodeflow.engine.kernel.sources import (
    KernelFunction,
    Unsupported,
    annotation_of,
    is_scalar,
    operands_of,
    parameters_of,
    require_function,
    tree_of,
)
from nodeflow.engine.kernel.statements import Body
from nodeflow.engine.kernel.values import (
    DOUBLE,
    DOUBLES,
    LANES,
    ONE,
    REAL,
    REALS,
    TABLES,
    TRUTH,
    WHOLE,
    Value,
    annotated_type,
)

WIDTH = 16
"""Columns of a row: the operation, then its operands."""
ROW_SIGNATURE = (
    "(ptr noalias %cells, ptr noalias readonly %row, ptr noalias %context, i64 %samples)"
)
_SAMPLES = (
    f"  %held = getelementptr i64, ptr %context, i64 {CONTEXT.index('samples')}\n"
    "  %samples = load i64, ptr %held\n"
)
_Known = tuple[KernelFunction, KernelFunction | None, Sequence[int]]
"""A row with its operands: its function, the scalar function that it applies, the operands."""


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
        one = {WHOLE: "i64", TRUTH: "i1", REAL: self.real, DOUBLE: "double"}
        return one[name] if name in one else f"<{LANES} x {one[ONE[name]]}>"

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
        kind = DOUBLES if eight else DOUBLE
        names = list(inspect.signature(function).parameters)
        if eight and getattr(function, "branching", False):
            self._lane_by_lane(function, name, names)
            return
        attribute = "" if getattr(function, "branching", False) else " alwaysinline"
        body = Body(self, function, {}, DOUBLE, eight=eight)
        for number, parameter in enumerate(names):
            body.take(parameter, Value(kind, f"%given{number}"))
        text = body.translated(kind)
        heads = ", ".join(f"{self.type(kind)} %given{number}" for number in range(len(names)))
        self.parts.append(
            f"define internal {self.type(kind)} {name}({heads}){attribute} nounwind {{\n{text}}}\n"
        )

    def _lane_by_lane(self, function: KernelFunction, name: str, names: Sequence[str]) -> None:
        one, wide = self.scalar(function, eight=False), self.type(DOUBLES)
        lines, result = [], "poison"
        for lane in range(LANES):
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
        body = Body(self, function, bound, DOUBLE if doubles else REAL)
        heads = []
        for parameter, annotation in parameters_of(function):
            if parameter in bound:
                continue
            if annotation in (*TABLES, "Context"):
                noalias = " noalias" if annotation in ("Cells", "Context") else ""
                heads.append(f"ptr{noalias} %{parameter}")
                body.table(parameter, annotation, f"%{parameter}")
            elif parameter in known:
                body.constant(parameter, known[parameter])
            else:
                kind = annotated_type(annotation)
                heads.append(f"{self.type(kind)} %{parameter}")
                body.take(parameter, Value(kind, f"%{parameter}"))
        result = annotated_type(annotation_of(function, "return"))
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
        body = Body(self, function, bound, REAL)
        for parameter, annotation in parameters_of(function):
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

    def straight(
        self, part: str, rows: Sequence[_Known], samples: int | None, count: int | None
    ) -> None:
        """Add a function that runs a part of a tape, its rows written out with their operands.

        Without a number of `samples` a pass has as many as the context says, and without `count`
        so has an update. With `samples` the function becomes a part of whoever calls it.
        """
        calls = []
        for number, (function, scalar, operands) in enumerate(rows):
            bound = {} if scalar is None else {"function": scalar}
            body = Body(self, function, bound, REAL)
            if count is not None:
                body.fields["count"] = count
            for parameter, annotation in parameters_of(function):
                if parameter not in bound and annotation in ("Cells", "Context"):
                    body.table(parameter, annotation, f"%{parameter}")
            for name, operand in zip(operands_of(function), operands, strict=True):
                if name != "rows" or operand != 0:
                    body.constant(name, operand)
                elif samples is None:
                    body.take(name, Value(WHOLE, "%samples"))
                else:
                    body.constant(name, samples)
            text = body.translated(None)
            self.parts.append(
                f"define internal void @{part}.{number}(ptr noalias %cells, "
                f"ptr noalias %context, i64 %samples) alwaysinline nounwind {{\n{text}}}\n"
            )
            calls.append(f"  call void @{part}.{number}(ptr %cells, ptr %context, i64 %samples)\n")
        self.parts.append(
            f"define internal void @run_{part}(ptr noalias %cells, ptr noalias %context) "
            f"{'alwaysinline ' * (samples is not None)}nounwind {{\n"
            f"{_SAMPLES}{''.join(calls)}  ret void\n}}\n"
        )

    def entry(self, function: KernelFunction) -> None:
        """Translate a function that is called from outside."""
        name = self.helper(function, {}, {})
        heads, given = [], []
        for parameter, annotation in parameters_of(function):
            pointer = annotation in (*TABLES, "Context")
            kind = "ptr" if pointer else self.type(annotated_type(annotation))
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
            f"{_SAMPLES}"
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
            wide, scalar = self.type(REALS), self.real
            cases = " ".join(f"i64 {count}, label %read{count}" for count in range(1, LANES))
            lines = [f"  switch i64 %count, label %all [{cases}]", "all:"]
            lines += [f"  %v = load {wide}, ptr %place, align {self.size}", f"  ret {wide} %v"]
            for count in range(1, LANES):
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
            wide = self.type(REALS)
            lines = [
                f"  %many = icmp uge i64 %count, {LANES}",
                "  br i1 %many, label %all, label %write0",
                "all:",
                f"  store {wide} %v, ptr %place, align {self.size}",
                "  ret void",
            ]
            for lane in range(LANES - 1):
                lines += [
                    f"write{lane}:",
                    f"  %p{lane} = getelementptr inbounds {self.real}, ptr %place, i64 {lane}",
                    f"  %x{lane} = extractelement {wide} %v, i64 {lane}",
                    f"  store {self.real} %x{lane}, ptr %p{lane}",
                    f"  %more{lane} = icmp ugt i64 %count, {lane + 1}",
                    f"  br i1 %more{lane}, label %write{lane + 1}, label %end",
                ]
            lines += [f"write{LANES - 1}:", "  br label %end", "end:", "  ret void"]
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
    "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)",
    "declare <8 x double> @llvm.sqrt.v8f64(<8 x double>)",
)

_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_joining(function: KernelFunction) -> int:
    """Return how many numbers a scalar function takes, from one to three.

    Raises `Unsupported` where it cannot be compiled, or where Python and machine code would do
    different things.
    """
    require_function(function)
    parameters = inspect.signature(function).parameters.values()
    if not 1 <= len(parameters) <= 3 or any(p.kind not in _PLAIN for p in parameters):
        raise Unsupported(f"{function.__name__}: takes one, two or three numbers, and nothing else")
    if not is_scalar(function) or annotation_of(function, "return") != "Double":
        raise Unsupported(f"{function.__name__}: annotate all parameters and the result as Double")
    module = Module("double")
    module.scalar(function, eight=True)
    for called in module.named:
        if not called.__module__.startswith(f"{__package__}."):
            _check_divisors(called)
    return len(parameters)


def _check_divisors(function: KernelFunction) -> None:
    """Refuse quotients that Python may refuse where machine code gives Infinity."""
    for node in ast.walk(tree_of(function)):
        if not isinstance(node, ast.BinOp):
            continue
        right = node.right
        fixed = isinstance(right, ast.Constant) and right.value
        if isinstance(node.op, ast.Div) and not fixed:
            raise Unsupported(
                f"{function.__name__}: write divide(x, y) of the kernel's language for "
                f"`{ast.unparse(node)}`, which is defined where the divisor is 0, too"
            )
