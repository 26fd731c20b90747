"""Trains the 2-2-2 network of `graphs/twins/` in Python's real programs; prints their weights.

`python python.py NAME…` prints {name: {"version", "weights": {updates: {address: …}}}} as JSON.
It needs no nodeflow.
"""

import json
import sys

import numpy as np

X = np.array([[0.05, 0.10], [1.0, 0.0], [0.3, -0.8]])
T = np.array([[0.01, 0.99], [0.99, 0.01], [0.2, 0.7]])
W1, B1 = np.array([[0.15, 0.2], [0.25, 0.3]]), np.array([0.35, 0.35])
W2, B2 = np.array([[0.4, 0.45], [0.5, 0.55]]), np.array([0.6, 0.6])
LAST = 60


def state(w1, b1, w2, b2):
    """Return weights by their addresses, out×in."""
    names = ("theta1.value", "bias1.value", "theta2.value", "bias2.value")
    return dict(zip(names, (np.asarray(v, float).tolist() for v in (w1, b1, w2, b2)), strict=True))


def kept(update, number, now):
    """Keep the weights after updates 1, 2, 3 and 60 (20 passes of three rows)."""
    if number in (1, 2, 3, 20, LAST):
        update[str(number)] = now()


def torch_way(way):
    import torch

    torch.set_default_dtype(torch.float64)
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sigmoid(),
                              torch.nn.Linear(2, 2), torch.nn.Sigmoid())  # fmt: skip
    with torch.no_grad():
        for to, value in zip(net.parameters(), (W1, B1, W2, B2), strict=True):
            to.copy_(torch.tensor(value))
    parts = net.parameters()
    optimizer = {
        "sgd": lambda: torch.optim.SGD(parts, lr=0.5),
        "sgd-sum": lambda: torch.optim.SGD(parts, lr=0.5),
        "momentum": lambda: torch.optim.SGD(parts, lr=0.5, momentum=0.9),
        "nesterov": lambda: torch.optim.SGD(parts, lr=0.5, momentum=0.9, nesterov=True),
        "adam": lambda: torch.optim.Adam(parts, lr=0.01),
    }[way]()
    cost, found = torch.nn.MSELoss(reduction="sum" if way == "sgd-sum" else "mean"), {}
    for number in range(1, LAST + 1):
        row = slice((number - 1) % 3, (number - 1) % 3 + 1)
        optimizer.zero_grad()
        cost(net(torch.tensor(X[row])), torch.tensor(T[row])).backward()
        optimizer.step()
        kept(found, number, lambda: state(*(p.detach().numpy() for p in net.parameters())))
    return torch.__version__, found


def keras_way(way):
    import os

    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    keras.backend.set_floatx("float64")
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="sigmoid"),
                            keras.layers.Dense(2, activation="sigmoid")])  # fmt: skip
    net.set_weights([W1.T, B1, W2.T, B2])
    optimizer = {
        "sgd": lambda: keras.optimizers.SGD(0.5),
        "momentum": lambda: keras.optimizers.SGD(0.5, momentum=0.9),
        "nesterov": lambda: keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True),
        "adam": lambda: keras.optimizers.Adam(0.01),
    }[way]()
    net.compile(optimizer=optimizer, loss="mse")
    found = {}
    for number in range(1, LAST + 1):
        row = slice((number - 1) % 3, (number - 1) % 3 + 1)
        net.train_on_batch(X[row], T[row])

        def now():
            w1, b1, w2, b2 = net.get_weights()
            return state(w1.T, b1, w2.T, b2)

        kept(found, number, now)
    return keras.__version__, found


def optax_way(way):
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    params = [jax.numpy.array(v) for v in (W1, B1, W2, B2)]
    optimizer = optax.adam(0.01) if way == "adam" else optax.sgd(0.5)
    memory, found = optimizer.init(params), {}

    def cost(params, x, t):
        w1, b1, w2, b2 = params
        h = jax.nn.sigmoid(x @ w1.T + b1)
        return ((jax.nn.sigmoid(h @ w2.T + b2) - t) ** 2).mean()

    slope = jax.jit(jax.grad(cost))
    for number in range(1, LAST + 1):
        row = slice((number - 1) % 3, (number - 1) % 3 + 1)
        updates, memory = optimizer.update(slope(params, X[row], T[row]), memory, params)
        params = optax.apply_updates(params, updates)
        kept(found, number, lambda params=params: state(*params))
    return optax.__version__, found


def mlx_way(way):
    from importlib.metadata import version

    import mlx.core as mx
    from mlx import optimizers

    mx.set_default_device(mx.cpu)  # float64 is the processor's alone
    names = ("w1", "b1", "w2", "b2")
    params = {n: mx.array(v, mx.float64) for n, v in zip(names, (W1, B1, W2, B2), strict=True)}
    optimizer = optimizers.Adam(0.01) if way == "adam" else optimizers.SGD(0.5)

    def cost(params, x, t):
        h = mx.sigmoid(x @ params["w1"].T + params["b1"])
        return ((mx.sigmoid(h @ params["w2"].T + params["b2"]) - t) ** 2).mean()

    slope, found = mx.grad(cost), {}
    for number in range(1, LAST + 1):
        row = slice((number - 1) % 3, (number - 1) % 3 + 1)
        x, t = mx.array(X[row], mx.float64), mx.array(T[row], mx.float64)
        params = optimizer.apply_gradients(slope(params, x, t), params)
        mx.eval(params)
        kept(found, number, lambda params=params: state(*params.values()))
    return version("mlx"), found


def tinygrad_way(way):
    import os
    from importlib.metadata import version

    os.environ["DEV"] = "CPU"  # by a C compiler
    from tinygrad import Tensor
    from tinygrad.helpers import Context
    from tinygrad.nn import optim

    # In float32: velocities are of that type, and others are refused.
    w1, b1, w2, b2 = parts = [Tensor(v.astype(np.float32)) for v in (W1, B1, W2, B2)]
    x, t = X.astype(np.float32), T.astype(np.float32)
    optimizer, found = (
        {
            "sgd": lambda: optim.SGD(parts, lr=0.5),
            "momentum": lambda: optim.SGD(parts, lr=0.5, momentum=0.9),
            "adam": lambda: optim.Adam(parts, lr=0.01),
        }[way](),
        {},
    )
    for number in range(1, LAST + 1):
        row = slice((number - 1) % 3, (number - 1) % 3 + 1)
        with Context(TRAINING=1):
            optimizer.zero_grad()
            h = (Tensor(x[row]) @ w1.T + b1).sigmoid()
            (((h @ w2.T + b2).sigmoid() - Tensor(t[row])) ** 2).mean().backward()
            optimizer.step()
        kept(found, number, lambda: state(*(p.numpy() for p in parts)))
    return version("tinygrad"), found


def sklearn_way(way):
    import sklearn
    from sklearn.neural_network import MLPRegressor

    every = way == "batch-all"
    net = MLPRegressor(
        hidden_layer_sizes=(2,), activation="logistic", shuffle=False,
        solver="adam" if way == "adam" else "sgd",
        batch_size=3 if every else 1, learning_rate_init=0.01 if way == "adam" else 0.5,
        momentum=0.0 if way.startswith("batch") else 0.9, nesterovs_momentum=way == "nesterov",
    )  # fmt: skip
    net.partial_fit(X[:1], T[:1])
    for old, new in zip(net.coefs_ + net.intercepts_, (W1.T, W2.T, B1, B2), strict=True):
        old[:] = new
    net._optimizer.__init__(  # as at the start, with these weights
        net.coefs_ + net.intercepts_, net.learning_rate_init,
        *(() if way == "adam" else ("constant", net.momentum, net.nesterovs_momentum)),
    )  # fmt: skip
    found = {}
    for number in range(1, LAST + 1):
        row = slice(0, 3) if every else slice((number - 1) % 3, (number - 1) % 3 + 1)
        net.partial_fit(X[row], T[row])
        kept(found, number, lambda: state(net.coefs_[0].T, net.intercepts_[0],
                                          net.coefs_[1].T, net.intercepts_[1]))  # fmt: skip
    return sklearn.__version__, found


def mlxtend_way(way):
    import mlxtend
    from mlxtend.classifier import MultiLayerPerceptron

    found = {}
    for last in (1, 2, 3, 20):
        net = MultiLayerPerceptron(hidden_layers=[2], eta=0.5, epochs=last, l2=0.0, l1=0.0,
                                   momentum=0.1 if way else 0.0, minibatches=1,
                                   random_seed=1)  # fmt: skip
        net._drawn = net._init_params_from_layermapping

        def start(*_arguments, net=net, **_named):
            weights, biases = net._drawn(*_arguments, **_named)
            for key, new in (("1", W1.T), ("out", W2.T)):
                weights[key][:] = new
            for key, new in (("1", B1), ("out", B2)):
                biases[key][:] = new
            return weights, biases

        net._init_params_from_layermapping = start
        net.fit(X, np.array([1, 0, 1]))
        found[str(last)] = state(net.w_["1"].T, net.b_["1"], net.w_["out"].T, net.b_["out"])
    return mlxtend.__version__, found


def neurolab_way(way):
    import neurolab as nl

    def made():
        net = nl.net.newff([[-1, 1], [-1, 1]], [2, 2], [nl.trans.LogSig(), nl.trans.LogSig()])
        for layer, (w, b) in zip(net.layers, ((W1, B1), (W2, B2)), strict=True):
            layer.np["w"][:], layer.np["b"][:] = w, b
        return net

    found = {}
    for last in (1, 2, 3, 20) if way != "adapt" else (1, 20):
        net = made()
        train = nl.train.train_gdm if way == "gdm" else nl.train.train_gd
        options = {"mc": 0.9} if way == "gdm" else {}
        adapt = way == "adapt"
        train(net, X, T, epochs=last if adapt else last + 1, show=0, goal=0, lr=0.5, adapt=adapt,
              **options)  # fmt: skip
        one, two = net.layers
        key = str(last * 3) if adapt else str(last)
        found[key] = state(one.np["w"], one.np["b"], two.np["w"], two.np["b"])
    return nl.__version__, found


WAYS = {
    "torch": torch_way, "keras": keras_way, "optax": optax_way, "mlx": mlx_way,
    "tinygrad": tinygrad_way, "sklearn": sklearn_way, "mlxtend": mlxtend_way,
    "neurolab": neurolab_way,
}  # fmt: skip

if __name__ == "__main__":
    document = {}
    for name in sys.argv[1:]:
        program, _, way = name.partition("-")
        version, weights = WAYS[program](way)
        document[name] = {"version": str(version).partition("+")[0], "weights": weights}
    json.dump(document, sys.stdout)
