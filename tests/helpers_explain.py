"""A reader of explained formulas that shares nothing with what wrote them."""

import ast
import math
import operator

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_NAMES = ("exp", "log", "tanh", "sqrt", "sin", "cos", "erf")
FUNCTIONS = {name: getattr(math, name) for name in _NAMES} | {
    "abs": abs,
    "max": max,
    "min": min,
}


def value(text):
    """Evaluate an expression by a parser of its own."""

    def of(tree):
        match tree:
            case ast.Constant(value=number):
                return float(number)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return -of(part)
            case ast.BinOp(op=op, left=left, right=right):
                return OPERATORS[type(op)](of(left), of(right))
            case ast.Call(func=ast.Name(id=name), args=args):
                return FUNCTIONS[name](*(of(part) for part in args))
        raise AssertionError(ast.dump(tree))

    return of(ast.parse(text, mode="eval").body)
