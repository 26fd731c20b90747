"""Expressions of a kernel function become instructions: names, operators, choices, calls."""

from __future__ import annotations

import ast
import inspect
import math
import operator as arithmetic
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nodeflow.engine.kernel import language
from nodeflow.engine.kernel.language import CONTEXT, INTRINSICS, wrap
from nodeflow.engine.kernel.sources import (
    KernelFunction,
    Unsupported,
    annotation_of,
    assigned_in,
    is_scalar,
    parameters_of,
    require_function,
)
from nodeflow.engine.kernel.values import (
    DOUBLE,
    DOUBLES,
    EIGHT,
    FIELDS,
    LANES,
    ONE,
    REAL,
    REALS,
    TABLES,
    TRUTH,
    TRUTHS,
    WHOLE,
    WHOLES,
    Local,
    Value,
    annotated_type,
    truth_value,
    whole_value,
)

if TYPE_CHECKING:
    from nodeflow.engine.kernel.compiler import Module

_FOLDED: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: arithmetic.add, ast.Sub: arithmetic.sub, ast.Mult: arithmetic.mul,
    ast.FloorDiv: arithmetic.floordiv, ast.Mod: arithmetic.mod, ast.LShift: arithmetic.lshift,
    ast.RShift: arithmetic.rshift, ast.BitAnd: arithmetic.and_, ast.BitOr: arithmetic.or_,
    ast.BitXor: arithmetic.xor, ast.Lt: arithmetic.lt, ast.LtE: arithmetic.le,
    ast.Gt: arithmetic.gt, ast.GtE: arithmetic.ge, ast.Eq: arithmetic.eq, ast.NotEq: arithmetic.ne,
}  # fmt: skip


class Expressions:
    """The variables of a function that is being translated, and the values of its expressions."""

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
        self.locals: dict[str, Local] = {}
        self.known: dict[str, int] = {}
        """Whole numbers that variables are known to hold at this place of the translation."""
        self.fields: dict[str, int] = {}
        """Whole numbers that fields of the context are known to hold."""
        self.tables: dict[str, tuple[str, str]] = {}
        self.allocated: list[str] = []
        self.lines: list[str] = []
        self.count = 0
        self.closed = False
        self.result: str | None = None

    # -- parameters

    def take(self, name: str, value: Value) -> None:
        """Give a parameter its value."""
        self._set(name, value)

    def table(self, name: str, annotation: str, text: str) -> None:
        """Say where a table, or the context, begins."""
        self.tables[name] = (TABLES.get(annotation, "context"), text)

    def operand(self, name: str, number: int) -> None:
        """Let a parameter be read from the row, at a column of it."""
        place = self._new(f"getelementptr inbounds i64, ptr %row, i64 {number}")
        value = self._new(f"load i64, ptr {place}, !invariant.load !{{}}")
        if name == "rows":
            empty = self._new(f"icmp eq i64 {value}, 0")
            value = self._new(f"select i1 {empty}, i64 %samples, i64 {value}")
        self._set(name, Value(WHOLE, value))

    def constant(self, name: str, number: int) -> None:
        """Let a parameter be a known number."""
        self._set(name, whole_value(number))

    # -- instructions

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

    def _set(self, name: str, value: Value) -> None:
        if name not in self.locals:
            kind = value.type
            if value.number is not None:
                whole = isinstance(value.number, int) and value.type == WHOLE
                kind = WHOLE if whole else self.plain
                if self.eight:
                    kind = EIGHT[kind]
            self.count += 1
            place = f"%v{self.count}.{name if name.isascii() else ''}"
            self.allocated.append(f"  {place} = alloca {self.module.type(kind)}")
            self.locals[name] = Local(kind, place)
        local = self.locals[name]
        if local.type == WHOLE and value.number is not None:
            self.known[name] = int(value.number)
            return
        self.known.pop(name, None)
        given = self._as(value, local.type)
        self._say(f"store {self.module.type(local.type)} {given}, ptr {local.place}")

    def _forget(self, *nodes: ast.stmt) -> None:
        """Let variables that are assigned in some statements be known no more."""
        for node in nodes:
            for name in assigned_in(node):
                self._unknown(name)

    def _unknown(self, name: str) -> None:
        if name in self.known:
            number = self.known.pop(name)
            self._say(f"store i64 {number}, ptr {self.locals[name].place}")

    # -- types that meet

    def _constant(self, number: float, kind: str) -> str:
        one = ONE.get(kind, kind)
        if one == WHOLE:
            text = str(int(number))
        elif one == TRUTH:
            text = "true" if number else "false"
        else:
            value = float(number)
            if one == REAL and self.module.real == "float" and math.isfinite(value):
                value = struct.unpack("<f", struct.pack("<f", value))[0]
            text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return f"splat ({self.module.type(one)} {text})" if kind in ONE else text

    def _as(self, value: Value, kind: str) -> str:
        """Return a value in another type: a constant, a wider or narrower float, eight alike."""
        if value.number is not None:
            return self._constant(value.number, kind)
        if value.type == kind:
            return value.text
        if kind in ONE and value.type not in ONE:
            one = self._as(value, ONE[kind])
            wide, narrow = self.module.type(kind), self.module.type(ONE[kind])
            first = self._new(f"insertelement {wide} poison, {narrow} {one}, i64 0")
            return self._new(
                f"shufflevector {wide} {first}, {wide} poison, <8 x i32> zeroinitializer"
            )
        floats = {REAL: DOUBLE, DOUBLE: REAL, REALS: DOUBLES, DOUBLES: REALS}
        if floats.get(value.type) != kind:
            raise Unsupported(f"{self.function.__name__}: {value.type} where {kind} is wanted")
        if self.module.real == "double":
            return value.text
        how = "fpext" if kind in (DOUBLE, DOUBLES) else "fptrunc"
        return self._new(
            f"{how} {self.module.type(value.type)} {value.text} to {self.module.type(kind)}"
        )

    def _meet(self, node: ast.AST, *values: Value) -> tuple[str, list[str]]:
        """Return the type that values take together, and each of them in it."""
        kinds = {value.type for value in values if value.number is None}
        if not kinds:
            floats = any(isinstance(value.number, float) for value in values)
            kind = self.plain if floats else WHOLE
        elif len(kinds) == 1:
            kind = kinds.pop()
        else:
            eight = any(kind in ONE for kind in kinds)
            ones = {ONE.get(kind, kind) for kind in kinds}
            if ones == {REAL, DOUBLE}:
                ones = {DOUBLE}
            if len(ones) > 1:
                raise self._fail(node, f"{' and '.join(sorted(kinds))} meet")
            kind = ones.pop()
            kind = EIGHT[kind] if eight else kind
        return kind, [self._as(value, kind) for value in values]

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
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in FIELDS:
                place = self._field(name, attribute)
                return FIELDS[attribute], self._new(f"load ptr, ptr {place}")
        raise self._fail(node, "no table")

    def _place(self, node: ast.Subscript) -> tuple[str, str]:
        kind, pointer = self._table(node.value)
        index = self._as(self._value(node.slice), WHOLE)
        shown = self.module.type(kind)
        return kind, self._new(f"getelementptr inbounds {shown}, ptr {pointer}, i64 {index}")

    # -- expressions

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool(truth)):
                return truth_value(truth)
            case ast.Constant(value=int(number)):
                return Value(WHOLE, str(number), number)
            case ast.Constant(value=float(number)):
                return Value(self.plain, "", number)
            case ast.Name(id=name):
                return self._name(name, node)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self.tables:
                if attribute in self.fields:
                    return whole_value(self.fields[attribute])
                place = self._field(name, attribute)
                return Value(WHOLE, self._new(f"load i64, ptr {place}"))
            case ast.Subscript():
                kind, pointer = self._place(node)
                return Value(kind, self._new(f"load {self.module.type(kind)}, ptr {pointer}"))
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

    def _name(self, name: str, node: ast.expr) -> Value:
        if name in self.known:
            return whole_value(self.known[name])
        if name in self.locals:
            local = self.locals[name]
            kind = self.module.type(local.type)
            return Value(local.type, self._new(f"load {kind}, ptr {local.place}"))
        if name == "COMPILED":
            return truth_value(True)
        number = self.globals.get(name)
        if isinstance(number, int | float) and not isinstance(number, bool):
            kind = WHOLE if isinstance(number, int) else self.plain
            return Value(kind, str(number), number)
        raise self._fail(node, f"'{name}' is not known")

    def _unary(self, operator: ast.unaryop, value: Value, node: ast.AST) -> Value:
        if isinstance(operator, ast.USub) and value.number is not None:
            return Value(value.type, "", -value.number)
        kind = self.module.type(value.type)
        if isinstance(operator, ast.Not) and value.number is not None:
            return truth_value(not value.number)
        if isinstance(operator, ast.Not):
            both = self._constant(1, value.type)
            return Value(value.type, self._new(f"xor {kind} {value.text}, {both}"))
        if isinstance(operator, ast.USub):
            if value.type in (WHOLE, WHOLES):
                zero = self._constant(0, value.type)
                return Value(value.type, self._new(f"sub {kind} {zero}, {value.text}"))
            return Value(value.type, self._new(f"fneg {kind} {value.text}"))
        raise self._fail(node, "an operator that the kernel's language does not have")

    def _binary(self, operator: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        if type(left.number) is type(right.number) is int and type(operator) in _FOLDED:
            return whole_value(wrap(_FOLDED[type(operator)](left.number, right.number)))
        kind, (a, b) = self._meet(node, left, right)
        wholes = {
            ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "udiv",
            ast.Mod: "urem", ast.LShift: "shl", ast.RShift: "ashr", ast.BitAnd: "and",
            ast.BitOr: "or", ast.BitXor: "xor",
        }  # fmt: skip
        floats = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
        known = wholes if kind in (WHOLE, WHOLES) else floats
        if type(operator) not in known:
            raise self._fail(node, f"no such operation on {kind}")
        return Value(kind, self._new(f"{known[type(operator)]} {self.module.type(kind)} {a}, {b}"))

    def _chain(self, node: ast.Compare) -> Value:
        """Return whether a < b < c …, each value computed once."""
        values = [self._value(part) for part in (node.left, *node.comparators)]
        found = [
            self._compare(operator, left, right, node)
            for operator, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        both = found[0]
        for other in found[1:]:
            kind, (a, b) = self._meet(node, both, other)
            both = Value(kind, self._new(f"and {self.module.type(kind)} {a}, {b}"))
        return both

    def _compare(self, operator: ast.cmpop, left: Value, right: Value, node: ast.AST) -> Value:
        if type(left.number) is type(right.number) is int and type(operator) in _FOLDED:
            return truth_value(_FOLDED[type(operator)](left.number, right.number))
        kind, (a, b) = self._meet(node, left, right)
        names = {
            ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
        }  # fmt: skip
        if type(operator) not in names:
            raise self._fail(node, "a comparison that the kernel's language does not have")
        name = names[type(operator)]
        if kind in (REAL, DOUBLE, REALS, DOUBLES):
            how = f"fcmp {'une' if name == 'ne' else 'o' + name}"
        else:
            how = f"icmp {name if name in ('eq', 'ne') else 's' + name}"
        truth = TRUTHS if kind in ONE else TRUTH
        return Value(truth, self._new(f"{how} {self.module.type(kind)} {a}, {b}"))

    def _logic(self, operator: ast.boolop, nodes: Sequence[ast.expr]) -> Value:
        ends = isinstance(operator, ast.Or)  # the truth that decides at once
        found: Value | None = None
        for node in nodes:
            value = self._value(node)
            if value.number is not None:
                if bool(value.number) is ends:
                    return truth_value(ends)
                continue
            if found is None:
                found = value
                continue
            kind, (a, b) = self._meet(node, found, value)
            how = "or" if ends else "and"
            found = Value(kind, self._new(f"{how} {self.module.type(kind)} {a}, {b}"))
        return found if found is not None else truth_value(not ends)

    def _choice(self, test: ast.expr, body: ast.expr, otherwise: ast.expr, node: ast.AST) -> Value:
        condition = self._value(test)
        if condition.number is not None:
            return self._value(body if condition.number else otherwise)
        yes, no = self._value(body), self._value(otherwise)
        kind, (a, b) = self._meet(node, yes, no)
        if condition.type == TRUTHS and kind not in ONE:
            kind = EIGHT[kind]
            a, b = (self._as(value, kind) for value in (yes, no))
        shown = self.module.type(kind)
        asked = self.module.type(condition.type)
        return Value(kind, self._new(f"select {asked} {condition.text}, {shown} {a}, {shown} {b}"))

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
        require_function(found)
        known: KernelFunction = found
        return known

    def _call(self, node: ast.Call) -> Value | None:
        if node.keywords:
            raise self._fail(node, "arguments by name")
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr="call") if name in self.tables:
                pointer = self._new(f"load ptr, ptr {self._field(name, 'call')}")
                number = self._as(self._value(node.args[0]), WHOLE)
                self._say(f"call void {pointer}(i64 {number})")
                return None
        function = self._function(node.func)
        if function.__module__ == language.__name__ and function.__name__ in INTRINSICS:
            return self._intrinsic(function.__name__, node)
        if is_scalar(function):
            return self._scalar(function, node)
        return self._helper(function, node)

    def _scalar(self, function: KernelFunction, node: ast.Call) -> Value:
        if len(node.args) != len(inspect.signature(function).parameters):
            raise self._fail(node, "not as many arguments as parameters")
        values = [self._value(argument) for argument in node.args]
        eight = self.eight or any(value.type in ONE for value in values)
        kind = DOUBLES if eight else DOUBLE
        name = self.module.scalar(function, eight=eight)
        shown = self.module.type(kind)
        given = ", ".join(f"{shown} {self._as(value, kind)}" for value in values)
        found = Value(kind, self._new(f"call {shown} {name}({given})"))
        if self.plain == DOUBLE:
            return found
        narrow = REALS if eight else REAL  # rounded once, to the network's own precision
        return Value(narrow, self._as(found, narrow))

    def _helper(self, function: KernelFunction, node: ast.Call) -> Value | None:
        parameters = parameters_of(function)
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
            if annotation == "Context" or annotation in TABLES:
                given.append(f"ptr {self._table(argument)[1]}")
            else:
                kind = annotated_type(annotation)
                value = self._value(argument)
                if kind == WHOLE and value.number is not None:
                    known[parameter] = int(value.number)
                else:
                    given.append(f"{self.module.type(kind)} {self._as(value, kind)}")
        name = self.module.helper(function, bound, known)
        result = annotated_type(annotation_of(function, "return"))
        if not result:
            self._say(f"call void {name}({', '.join(given)})")
            return None
        shown = self.module.type(result)
        return Value(result, self._new(f"call {shown} {name}({', '.join(given)})"))

    def _intrinsic(self, name: str, node: ast.Call) -> Value | None:
        if name in ("run_head", "run_tail", "run_test"):
            pointer = self.tables["context"][1]
            self._say(f"call void @{name}(ptr {self.tables['cells'][1]}, ptr {pointer})")
            return None
        arguments = list(node.args)
        if name in ("lanes", "first_lanes", "put_first", "prefetch"):
            pointer = self._table(arguments.pop(0))[1]
            index = self._as(self._value(arguments.pop(0)), WHOLE)
            place = self._new(
                f"getelementptr inbounds {self.module.real}, ptr {pointer}, i64 {index}"
            )
        values = [self._value(argument) for argument in arguments]
        eight = self.eight or any(value.type in ONE for value in values)
        reals, size = self.module.type(REALS), self.module.size
        match name:
            case "first_lanes":
                count = self._as(values[0], WHOLE)
                reader = self.module.reader()
                return Value(REALS, self._new(f"call {reals} {reader}(ptr {place}, i64 {count})"))
            case "put_first":
                given, count = self._as(values[0], REALS), self._as(values[1], WHOLE)
                writer = self.module.writer()
                self._say(f"call void {writer}(ptr {place}, {reals} {given}, i64 {count})")
                return None
            case "prefetch":  # to be read, into the second level, as data
                self._say(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")
                return None
            case "lanes":
                return Value(REALS, self._new(f"load {reals}, ptr {place}, align {size}"))
            case "spread":
                return Value(REALS, self._as(values[0], REALS))
            case "add_first" | "add_at":
                total, other = (self._as(value, REALS) for value in values[:2])
                mask = self._first(values[2], "ult" if name == "add_first" else "eq")
                both = self._new(f"fadd {reals} {total}, {other}")
                return Value(
                    REALS, self._new(f"select <8 x i1> {mask}, {reals} {both}, {reals} {total}")
                )
            case "set_lane":
                vector, number = values[0].text, self._as(values[2], WHOLE)
                one = self._as(values[1], REAL)
                return Value(
                    REALS,
                    self._new(
                        f"insertelement {reals} {vector}, {self.module.real} {one}, i64 {number}"
                    ),
                )
            case "lane":
                vector, number = values[0].text, self._as(values[1], WHOLE)
                return Value(REAL, self._new(f"extractelement {reals} {vector}, i64 {number}"))
            case "wrap":
                return values[0]
            case "divide":
                return self._binary(ast.Div(), values[0], values[1], node)
            case "to_real" | "to_double":
                kind = DOUBLE if name == "to_double" else REAL
                return self._converted("sitofp", values[0], WHOLE, kind, eight=eight)
            case "to_whole":
                return self._converted("fptosi", values[0], DOUBLE, WHOLE, eight=eight)
            case "bits":
                return self._converted("bitcast", values[0], DOUBLE, WHOLE, eight=eight)
            case "from_bits":
                return self._converted("bitcast", values[0], WHOLE, DOUBLE, eight=eight)
            case "sqrt":
                kind = DOUBLES if eight else DOUBLE
                shown, suffix = self.module.type(kind), "v8f64" if eight else "f64"
                given = self._as(values[0], kind)
                return Value(kind, self._new(f"call {shown} @llvm.sqrt.{suffix}({shown} {given})"))
            case "shift_right":
                kind, (a, b) = self._meet(node, *values)
                return Value(kind, self._new(f"lshr {self.module.type(kind)} {a}, {b}"))
            case "multiply_high":
                a, b = (self._as(value, WHOLE) for value in values)
                x, y = (self._new(f"zext i64 {text} to i128") for text in (a, b))
                product = self._new(f"mul i128 {x}, {y}")
                upper = self._new(f"lshr i128 {product}, 64")
                return Value(WHOLE, self._new(f"trunc i128 {upper} to i64"))
        raise self._fail(node, "an intrinsic without instructions")

    def _first(self, count: Value, how: str = "ult") -> str:
        wide = self._as(count, WHOLES)
        numbers = ", ".join(f"i64 {lane}" for lane in range(LANES))
        return self._new(f"icmp {how} <8 x i64> <{numbers}>, {wide}")

    def _converted(self, how: str, value: Value, source: str, target: str, *, eight: bool) -> Value:
        if eight:
            source, target = EIGHT[source], EIGHT[target]
        given = self._as(value, source)
        before, behind = self.module.type(source), self.module.type(target)
        return Value(target, self._new(f"{how} {before} {given} to {behind}"))
