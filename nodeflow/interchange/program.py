"""A program of its own, as a person would write it: it trains a network and prints what comes out.

In NumPy forward, backward and update are written out, layer by layer, with one comment a step; in
PyTorch and JAX the gradient is theirs. The data travels inside, so do the weights of the start, and
each epoch has nodeflow's own order of rows.
"""

from __future__ import annotations

import base64
import keyword
import re
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodeflow.engine.run import Run
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.chain import layers_of, with_trainer
from nodeflow.interchange.layers import Activation, Affine, Dense, Floats, Network

KINDS = ("numpy", "torch", "jax")
_INLINE = 400
"""So many numbers are written out; more are packed."""
_FORWARD = {
    "sigmoid": "1 / (1 + np.exp(-{z}))", "tanh": "np.tanh({z})", "relu": "np.maximum({z}, 0)",
    "leaky_relu": "np.where({z} > 0, {z}, 0.01 * {z})",
    "softplus": "np.maximum({z}, 0) + np.log1p(np.exp(-np.abs({z})))", "identity": "{z}",
    "softmax": "softmax({z})",
}  # fmt: skip
_SLOPE = {
    "sigmoid": "{a} * (1 - {a})", "tanh": "1 - {a} ** 2", "relu": "({z} > 0)",
    "leaky_relu": "np.where({z} > 0, 1, 0.01)", "softplus": "1 / (1 + np.exp(-{z}))",
}  # fmt: skip
_SLOPE_WORDS = {
    "sigmoid": "a(1 − a)", "tanh": "1 − a²", "relu": "1 above 0, else 0",
    "leaky_relu": "1 above 0, else 0.01", "softplus": "the sigmoid of z",
}  # fmt: skip
_SHUFFLE = '''
def order_of(rows, seed, epoch):
    """The order of the rows in an epoch: Fisher and Yates' shuffle, by splitmix64."""
    mask = 2**64 - 1
    order = list(range(rows))
    state = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1342543DE82EF95) & mask
    for i in range(rows - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        j = ((z >> 32) * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return order
'''


@dataclass(frozen=True)
class _Layer:
    """A layer as the program calls it."""

    name: str
    dense: Dense
    activation: str


@dataclass(frozen=True)
class _Work:
    """All that a program needs to know."""

    graph: Graph
    network: Network
    layers: tuple[_Layer, ...]
    x: Floats
    y: Floats
    batch: int
    epochs: int
    seed: int
    shuffled: bool


def write(graph: Graph, kind: str = "numpy", *, epochs: int | None = None) -> str:
    """Return the program that trains a graph as nodeflow does, from the same start.

    Raises `InterchangeError` for what is no chain of layers, and for costs with penalties.
    """
    if kind not in KINDS:
        raise InterchangeError(f"a program is in {', '.join(KINDS)}, not {kind}")
    work = _work(graph, epochs)
    return {"numpy": _numpy, "torch": _torch, "jax": _jax}[kind](work)


def _work(graph: Graph, epochs: int | None) -> _Work:
    graph = with_trainer(graph)
    run = Run(graph)
    network = layers_of(graph, run.weights)
    if graph.of_type("l2_penalty"):
        raise InterchangeError("a program has no l2_penalty yet; remove the penalty from the cost")
    layers: list[_Layer] = []
    for step in network.steps:
        if isinstance(step, Dense):
            layers.append(_Layer(_python(step.name, layers), step, "identity"))
        elif isinstance(step, Activation) and step.formula is None and layers:
            if layers[-1].activation != "identity":
                raise InterchangeError(f"'{step.name}' is a second activation in a row")
            layers[-1] = _Layer(layers[-1].name, layers[-1].dense, step.kind)
        else:
            what = "a scaling" if isinstance(step, Affine) else "a formula"
            raise InterchangeError(f"'{step.name}' is {what}, which a program has not yet")
    inner = [layer.activation for layer in layers[:-1]]
    if "softmax" in inner:
        raise InterchangeError("a program has softmax at the output only")
    machine = run.machine
    x, y = _rows(graph, machine)
    training = graph.training
    return _Work(
        graph, network, tuple(layers), x, y, machine.batch,
        training.epochs if epochs is None else epochs, machine.seed, machine.shuffled,
    )  # fmt: skip


def _rows(graph: Graph, machine: Any) -> tuple[Floats, Floats]:
    """Return the training rows as the network gets them."""
    if len(machine.splits) == 1:
        split = next(iter(machine.splits.values()))
        return np.asarray(split.x, np.float64), np.asarray(split.y, np.float64)
    from nodeflow.declare import numbers

    found = []
    for key, port in (("x", "first"), ("y", "cost")):
        if key not in graph.nodes or graph.nodes[key].type != "constant":
            raise InterchangeError(
                f"the data comes neither from one dataset nor from x and y ({port})"
            )
        array = numbers(graph.settings(key)["value"])
        found.append(array if array.ndim == 2 else array.reshape(1, -1))
    return found[0], found[1]


def _python(name: str, taken: list[_Layer]) -> str:
    text = re.sub(r"\W", "_", name).strip("_") or "layer"
    text = f"layer{text}" if text[0].isdigit() or keyword.iskeyword(text) else text
    while any(layer.name == text for layer in taken):
        text += "_"
    return text


# --- text -----------------------------------------------------------------------------------------


def _array(values: Floats) -> str:
    if values.size <= _INLINE:
        return f"np.array({_nested(values)})"
    packed = base64.b85encode(zlib.compress(np.ascontiguousarray(values, "<f8").tobytes(), 9))
    text = packed.decode()
    lines = "\n".join(f'    "{text[at : at + 90]}"' for at in range(0, len(text), 90))
    return f"unpacked(\n{lines},\n    {values.shape})"


def _nested(values: Floats) -> str:
    if values.ndim == 1:
        return repr(values.tolist())
    rows = ",\n    ".join(repr(row) for row in values.tolist())
    return f"[\n    {rows},\n]"


def _head(work: _Work, needs: str, imports: str) -> list[str]:
    name = " ".join(work.graph.name.split()).replace('"', "'") or "a network"
    sizes = "-".join(
        map(str, [work.network.width, *(len(one.dense.weights) for one in work.layers)])
    )
    arrays = [work.x, work.y] + [one.dense.weights for one in work.layers]
    lines = [
        f'"""{name}: {sizes}, trained as nodeflow trains it. Needs {needs} alone."""', "", imports,
    ]  # fmt: skip
    if any(array.size > _INLINE for array in arrays):
        lines = [lines[0], "", "import base64", "import zlib", "", *imports.split("\n"), "", "",
                 "def unpacked(text, shape):",
                 '    """Float64 numbers, little-endian, compressed."""',
                 "    data = zlib.decompress(base64.b85decode(text))",
                 '    return np.frombuffer(data, "<f8").reshape(shape).astype(float)']  # fmt: skip
    if work.shuffled:
        lines += ["", *_SHUFFLE.rstrip().split("\n")]
    return lines


def _data(work: _Work) -> list[str]:
    return ["", "", "# the data: a row a sample", f"x = {_array(work.x)}", f"y = {_array(work.y)}",
            f"EPOCHS, BATCH, SEED = {work.epochs}, {work.batch}, {work.seed}",
            f"RATE = {_rate(work)!r}"]  # fmt: skip


def _rate(work: _Work) -> float:
    return float(work.network.settings.get("rate", 0.1))


def _start(work: _Work) -> list[str]:
    lines = ["", "# the weights of the start: a row a neuron"]
    for layer in work.layers:
        lines.append(f"w_{layer.name} = {_array(layer.dense.weights)}")
        if layer.dense.bias is not None:
            lines.append(f"b_{layer.name} = {_array(layer.dense.bias)}")
    return lines


def _parameters(work: _Work) -> list[str]:
    names = []
    for layer in work.layers:
        names.append(f"w_{layer.name}")
        if layer.dense.bias is not None:
            names.append(f"b_{layer.name}")
    return names


def _loop(work: _Work) -> list[str]:
    order = "order_of(len(x), SEED, epoch)" if work.shuffled else "list(range(len(x)))"
    return ["", "for epoch in range(EPOCHS):", f"    order = {order}", "    total = 0.0",
            "    for begin in range(0, len(x), BATCH):",
            "        rows = order[begin:begin + BATCH]"]  # fmt: skip


_END = ['    print(f"epoch {epoch + 1}  cost {float(total) / len(x)!r}")']


# --- NumPy ----------------------------------------------------------------------------------------


def _numpy(work: _Work) -> str:
    lines = _head(work, "NumPy", "import numpy as np")
    last = work.layers[-1]
    if last.activation == "softmax":
        lines += ["", "", "def softmax(z):", '    """Shares that add up to 1, for each row."""',
                  "    e = np.exp(z - z.max(axis=1, keepdims=True))",
                  "    return e / e.sum(axis=1, keepdims=True)"]  # fmt: skip
    lines += [*_data(work), *_start(work), *_state(work), *_loop(work)]
    lines += ["        a_0, t = x[rows], y[rows]", ""]
    before = "a_0"
    for layer in work.layers:
        z, a = f"z_{layer.name}", f"a_{layer.name}"
        bias = "" if layer.dense.bias is None else f" + b_{layer.name}"
        lines += [f"        # forward: {layer.name}",
                  f"        {z} = {before} @ w_{layer.name}.T{bias}",
                  f"        {a} = {_FORWARD[layer.activation].format(z=z)}"]  # fmt: skip
        before = a
    lines += ["", *_cost(work), "", *_backward(work), "", *_update(work), *_END]
    return "\n".join(lines) + "\n"


def _cost(work: _Work) -> list[str]:
    last = work.layers[-1]
    a, z, kind = f"a_{last.name}", f"z_{last.name}", work.network.cost
    if kind == "squared_error":
        half = "0.5 * " if _half(work) else ""
        return ["        # the cost, added up over the rows",
                f"        total += {half}((({a} - t) ** 2).sum())"]  # fmt: skip
    if kind == "cross_entropy" and last.activation == "sigmoid":
        return ["        # the cost, added up over the rows: −Σ (t ln a + (1 − t) ln(1 − a))",
                f"        total += (np.maximum({z}, 0) - {z} * t"
                f" + np.log1p(np.exp(-np.abs({z})))).sum()"]  # fmt: skip
    if kind == "cross_entropy":
        return ["        # the cost, added up over the rows: −Σ (t ln a + (1 − t) ln(1 − a))",
                f"        total -= (t * np.log({a}) + (1 - t) * np.log(1 - {a})).sum()"]  # fmt: skip
    down = f"({z} - {z}.max(axis=1, keepdims=True))"
    return ["        # the cost, added up over the rows: −Σ t ln a",
            f"        total -= (t * ({down} - np.log(np.exp({down}).sum(axis=1, keepdims=True)))"
            ").sum()"]  # fmt: skip


def _half(work: _Work) -> bool:
    return bool(work.graph.settings(work.graph.of_type("squared_error")[0])["half"])


def _backward(work: _Work) -> list[str]:
    lines: list[str] = []
    for number in range(len(work.layers) - 1, -1, -1):
        layer = work.layers[number]
        a, z, d = f"a_{layer.name}", f"z_{layer.name}", f"d_{layer.name}"
        lines.append(f"        # backward: {layer.name}")
        if number == len(work.layers) - 1:
            lines += _last_delta(work, layer, a, d)
        else:
            above = work.layers[number + 1].name
            blame = f"d_{above} @ w_{above}"
            slope = _SLOPE.get(layer.activation)
            if slope is None:
                lines.append(f"        {d} = {blame}  # the blame of the layer above")
            else:
                words = _SLOPE_WORDS[layer.activation]
                lines.append(
                    f"        {d} = ({blame}) * ({slope.format(a=a, z=z)})  # slope: {words}"
                )
        below = "a_0" if number == 0 else f"a_{work.layers[number - 1].name}"
        lines.append(f"        g_w_{layer.name} = {d}.T @ {below} / len(rows)")
        if layer.dense.bias is not None:
            lines.append(f"        g_b_{layer.name} = {d}.sum(axis=0) / len(rows)")
    return lines


def _last_delta(work: _Work, layer: _Layer, a: str, d: str) -> list[str]:
    kind = work.network.cost
    if (kind, layer.activation) in (
        ("cross_entropy", "sigmoid"), ("categorical_cross_entropy", "softmax")
    ):  # fmt: skip
        return [f"        {d} = {a} - t  # cost and {layer.activation} together"]
    if kind == "squared_error":
        factor = "" if _half(work) else "2 * "
        blame = f"{factor}({a} - t)"
    else:
        blame = f"({a} - t) / ({a} * (1 - {a}))"
    if layer.activation == "softmax":
        return [f"        blame = {blame}",
                f"        {d} = {a} * (blame - (blame * {a}).sum(axis=1, keepdims=True))"]  # fmt: skip
    slope = _SLOPE.get(layer.activation)
    if slope is None:
        return [f"        {d} = {blame}"]
    text = slope.format(a=a, z=f"z_{layer.name}")
    return [f"        {d} = {blame} * ({text})  # slope: {_SLOPE_WORDS[layer.activation]}"]


def _state(work: _Work) -> list[str]:
    names, settings = _parameters(work), work.network.settings
    if work.network.trainer == "adam":
        return ["", "# Adam's running means of the gradients and of their squares, and its clock",
                *(f"m_{n}, s_{n} = np.zeros_like({n}), np.zeros_like({n})" for n in names),
                "updates = 0"]  # fmt: skip
    if settings.get("momentum"):
        return ["", "# velocities", *(f"v_{n} = np.zeros_like({n})" for n in names)]
    return []


def _update(work: _Work) -> list[str]:
    names, settings = _parameters(work), work.network.settings
    lines = ["        # update: every weight against its gradient"]
    if work.network.trainer == "adam":
        b1, b2 = float(settings.get("beta1", 0.9)), float(settings.get("beta2", 0.999))
        epsilon = float(settings.get("epsilon", 1e-8))
        lines.append("        updates += 1")
        for n in names:
            lines += [
                f"        m_{n} = {b1!r} * m_{n} + {1 - b1!r} * g_{n}",
                f"        s_{n} = {b2!r} * s_{n} + {1 - b2!r} * g_{n} ** 2",
                f"        {n} = {n} - RATE * (m_{n} / (1 - {b1!r} ** updates)) / ("
                f"np.sqrt(s_{n} / (1 - {b2!r} ** updates)) + {epsilon!r})",
            ]
        return lines
    momentum = float(settings.get("momentum", 0.0))
    for n in names:
        if momentum:
            lines += [f"        v_{n} = {momentum!r} * v_{n} + g_{n}",
                      f"        {n} = {n} - RATE * v_{n}"]  # fmt: skip
        else:
            lines.append(f"        {n} = {n} - RATE * g_{n}")
    return lines


# --- PyTorch and JAX ------------------------------------------------------------------------------

_TORCH = {
    "sigmoid": "torch.sigmoid({z})", "tanh": "torch.tanh({z})", "relu": "torch.relu({z})",
    "leaky_relu": "torch.nn.functional.leaky_relu({z}, 0.01)",
    "softplus": "torch.nn.functional.softplus({z}, threshold=700)", "identity": "{z}",
    "softmax": "torch.softmax({z}, 1)",
}  # fmt: skip
_JAX = {
    "sigmoid": "jax.nn.sigmoid({z})", "tanh": "jnp.tanh({z})", "relu": "jax.nn.relu({z})",
    "leaky_relu": "jax.nn.leaky_relu({z}, 0.01)", "softplus": "jax.nn.softplus({z})",
    "identity": "{z}", "softmax": "jax.nn.softmax({z}, 1)",
}  # fmt: skip


def _torch(work: _Work) -> str:
    lines = _head(work, "PyTorch and NumPy", "import numpy as np\nimport torch")
    lines += [*_data(work), "x, y = torch.from_numpy(x), torch.from_numpy(y)", *_start(work)]
    names = _parameters(work)
    lines += [f"{n} = torch.from_numpy({n}).requires_grad_()" for n in names]
    lines += [f"parameters = [{', '.join(names)}]", _optimizer(work), *_loop(work)]
    lines += ["        a, t = x[rows], y[rows]"]
    lines += _forward(work, _TORCH)
    last = work.layers[-1]
    lines += [f"        cost = {_framework_cost(work, last, 'torch')}.sum()",
              "        optimizer.zero_grad()", "        (cost / len(rows)).backward()",
              "        optimizer.step()", "        total += cost.item()", *_END]  # fmt: skip
    return "\n".join(lines) + "\n"


def _optimizer(work: _Work) -> str:
    settings = work.network.settings
    if work.network.trainer == "adam":
        betas = float(settings.get("beta1", 0.9)), float(settings.get("beta2", 0.999))
        epsilon = float(settings.get("epsilon", 1e-8))
        return f"optimizer = torch.optim.Adam(parameters, lr=RATE, betas={betas}, eps={epsilon!r})"
    momentum = float(settings.get("momentum", 0.0))
    return f"optimizer = torch.optim.SGD(parameters, lr=RATE, momentum={momentum!r})"


def _forward(work: _Work, kinds: dict[str, str], indent: str = "        ") -> list[str]:
    lines = []
    for layer in work.layers:
        bias = "" if layer.dense.bias is None else f" + b_{layer.name}"
        lines += [f"{indent}# {layer.name}", f"{indent}z = a @ w_{layer.name}.T{bias}",
                  f"{indent}a = {kinds[layer.activation].format(z='z')}"]  # fmt: skip
    return lines


def _framework_cost(work: _Work, last: _Layer, module: str) -> str:
    kind = work.network.cost
    log = "torch.log" if module == "torch" else "jnp.log"
    if kind == "squared_error":
        return f"({'0.5 * ' if _half(work) else ''}(a - t) ** 2)"
    if kind == "cross_entropy" and last.activation == "sigmoid":
        soft = ("torch.nn.functional.softplus(z, threshold=700)" if module == "torch"
                else "jax.nn.softplus(z)")  # fmt: skip
        return f"({soft} - z * t)"
    if kind == "cross_entropy":
        return f"(-(t * {log}(a) + (1 - t) * {log}(1 - a)))"
    soft = "torch.log_softmax(z, 1)" if module == "torch" else "jax.nn.log_softmax(z, 1)"
    return f"(-t * {soft})"


def _jax(work: _Work) -> str:
    imports = "import jax\nimport jax.numpy as jnp\nimport numpy as np"
    lines = _head(work, "JAX and NumPy", imports)
    lines += ["", 'jax.config.update("jax_enable_x64", True)', *_data(work), *_start(work)]
    names = _parameters(work)
    listed = ", ".join(names)
    lines += [f"parameters = [jnp.asarray(one) for one in ({listed},)]", *_jax_state(work), "", "",
              "def cost_of(parameters, a, t):", f"    {listed}, = parameters",
              *_forward(work, _JAX, "    "),
              f"    return {_framework_cost(work, work.layers[-1], 'jax')}.sum()", "", "",
              "slopes = jax.jit(jax.value_and_grad(cost_of))", *_loop(work),
              "        rows = np.array(rows)",
              "        cost, gradients = slopes(parameters, x[rows], y[rows])",
              "        gradients = [one / len(rows) for one in gradients]", *_jax_update(work),
              "        total += float(cost)", *_END, f"{listed}, = parameters"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _jax_state(work: _Work) -> list[str]:
    if work.network.trainer == "adam":
        return ["means = [jnp.zeros_like(one) for one in parameters]",
                "squares = [jnp.zeros_like(one) for one in parameters]", "updates = 0"]  # fmt: skip
    if work.network.settings.get("momentum"):
        return ["velocities = [jnp.zeros_like(one) for one in parameters]"]
    return []


def _jax_update(work: _Work) -> list[str]:
    settings = work.network.settings
    if work.network.trainer == "adam":
        b1, b2 = float(settings.get("beta1", 0.9)), float(settings.get("beta2", 0.999))
        epsilon = float(settings.get("epsilon", 1e-8))
        return ["        updates += 1",
                f"        means = [{b1!r} * m + {1 - b1!r} * g for m, g in zip(means, gradients)]",
                f"        squares = [{b2!r} * s + {1 - b2!r} * g**2"
                " for s, g in zip(squares, gradients)]",
                f"        parameters = [p - RATE * (m / (1 - {b1!r}**updates)) / ("
                f"jnp.sqrt(s / (1 - {b2!r}**updates)) + {epsilon!r})",
                "                      for p, m, s in zip(parameters, means, squares)]"]  # fmt: skip
    momentum = float(settings.get("momentum", 0.0))
    if momentum:
        return [f"        velocities = [{momentum!r} * v + g for v, g in zip(velocities, gradients)]",
                "        parameters = [p - RATE * v for p, v in zip(parameters, velocities)]"]  # fmt: skip
    return ["        parameters = [p - RATE * g for p, g in zip(parameters, gradients)]"]
