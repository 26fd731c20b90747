"""Statements of a kernel function become blocks of instructions: choices, loops, results."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nodeflow.engine.kernel.expressions import Expressions
from nodeflow.engine.kernel.sources import Unsupported, tree_of
from nodeflow.engine.kernel.values import ONE, TRUTH, WHOLE, Value, whole_value

UNROLLED = 16
"""The most rounds of a loop that is unrolled; their number must be known."""


class Body(Expressions):
    """The statements of one function, translated in order."""

    def translated(self, result: str | None) -> str:
        """Return the assembly of the whole function; `result` is the type of what it returns."""
        self.result = result
        self._block(tree_of(self.function).body)
        if not self.closed and result:
            raise Unsupported(f"{self.function.__name__}: may end without a result")
        if not self.closed:
            self._say("ret void")
        return "\n".join(("entry:", *self.allocated, *self.lines, ""))

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
                given = self._as(self._value(value), WHOLE)
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
        if asked.type in ONE:
            raise Unsupported(
                f"{self.function.__name__}: a function that uses `if` or `while` is marked with "
                "@branching of nodeflow.engine.kernel.scalar"
            )
        condition = self._as(asked, TRUTH)
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
        for _ in range(UNROLLED):
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
        if asked.type in ONE:
            raise Unsupported(
                f"{self.function.__name__}: a function that uses `if` or `while` is marked with "
                "@branching of nodeflow.engine.kernel.scalar"
            )
        condition = self._as(asked, TRUTH)
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
        zero, one = Value(WHOLE, "0", 0), Value(WHOLE, "1", 1)
        start, stop, step = (zero, given[0], one) if len(given) == 1 else (*given, one)[:3]
        by = step.number
        if by is None:
            raise Unsupported(f"{self.function.__name__}: the step of a range must be a constant")
        if start.number is not None and stop.number is not None:
            numbers = range(int(start.number), int(stop.number), int(by))
            if len(numbers) <= UNROLLED:
                for number in numbers:
                    self._set(name, whole_value(number))
                    self._block(body)
                return
        end = self._as(stop, WHOLE)
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
        self._set(name, Value(WHOLE, now))
        self._block(body)
        if not self.closed:
            self._forget(*body)
            onward = self._new(f"add nsw i64 {now}, {by}")
            self._say(f"store i64 {onward}, ptr {place}")
            self._say(f"br label %{head}")
        self.closed = False
        self.lines.append(f"{behind}:")
