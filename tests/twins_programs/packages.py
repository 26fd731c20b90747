"""Trains the 2-2-2 network of `graphs/twins/` in packages that students install; as python.py does.

Each function gives the package's version and its weights after so many updates. It needs no
nodeflow.
"""

import contextlib
import io
import json
import random
import sys
import tempfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
from python import B1, B2, LAST, W1, W2, T, X, state

KEPT = (1, 2, 3, 20, LAST)
CLASSES = np.array([1, 0, 1])


def after_each(step, now, kept=KEPT):
    """Return the weights after some of the updates."""
    found = {}
    for number in range(1, max(kept) + 1):
        step(number)
        if number in kept:
            found[str(number)] = now()
    return found


def row(number):
    """Return which row an update has, in the file's order."""
    return slice((number - 1) % 3, (number - 1) % 3 + 1)


def neuralnetlib_way(way):
    from neuralnetlib.layers import Activation, Dense, Input
    from neuralnetlib.models import Sequential
    from neuralnetlib.optimizers import SGD

    clips = {} if way == "clipped" else {"gradient_clip_threshold": 0.0}
    net = Sequential(random_state=0, **clips)
    for layer in (Input(2), Dense(2), Activation("sigmoid"), Dense(2), Activation("sigmoid")):
        net.add(layer)
    net.compile("mse" if way == "mse" else "bce", SGD(learning_rate=0.5))
    net.forward_pass(X)
    one, two = (layer for layer in net.layers if isinstance(layer, Dense))
    for layer, w, b in ((one, W1, B1), (two, W2, B2)):
        layer.weights[:], layer.bias[:] = w.T, b
    made = after_each(
        lambda _: net.train_on_batch(X, T),
        lambda: state(one.weights.T, one.bias.ravel(), two.weights.T, two.bias.ravel()),
    )
    return version("neuralnetlib"), made


def npnet_way(way):
    import npnet as nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.layers.Dense(2, 2, nn.act.Sigmoid())
            self.two = nn.layers.Dense(2, 2, nn.act.Sigmoid())

        def forward(self, x):
            return self.two(self.one(x))

    net, cost = Net(), nn.losses.MSE()
    for layer, w, b in ((net.one, W1, B1), (net.two, W2, B2)):
        layer.w[:], layer.b[:] = w.T, b
    optimizer = nn.optim.Adam(net.params, 0.01) if way == "adam" else nn.optim.SGD(net.params, 0.5)

    def step(_):
        net.backward(cost(net.forward(X), T))
        optimizer.step()

    made = after_each(
        step, lambda: state(net.one.w.T, net.one.b.ravel(), net.two.w.T, net.two.b.ravel())
    )
    return version("npnet"), made


def another_way(_):
    from numpy_neural_nets import MLP

    net = MLP(X, T, nodes=(2, 2, 2), learning_rate=0.5, iterations=1)
    net.weights = [np.vstack([B1, W1.T]), np.vstack([B2, W2.T])]

    def step(_):
        # Its `train` turns targets over, and keeps the layers of every pass.
        net.layers = []
        net.backpropagate(net.feedforward(X), T)

    made = after_each(
        step,
        lambda: state(net.weights[0][1:].T, net.weights[0][0], net.weights[1][1:].T,
                      net.weights[1][0]),
    )  # fmt: skip
    return version("another-neural-net"), made


def numpy_network_way(_):
    from numpy_neural_network.nn import DenseLayer, backward_propagate, forward_propagate

    layers = [DenseLayer(2, 2, "sigmoid", is_input=True), DenseLayer(2, 2, "sigmoid"),
              DenseLayer(2, 2, "sigmoid", is_output=True)]  # fmt: skip
    for layer, w, b in zip(layers[1:], (W1, W2), (B1, B2), strict=True):
        layer.weights, layer.bias = w.copy(), b.reshape(-1, 1).copy()

    def step(_):
        _, caches = forward_propagate(layers, X)
        backward_propagate(layers, CLASSES, 0.5, 0.0, 2, caches)

    made = after_each(
        step, lambda: state(layers[1].weights, layers[1].bias.ravel(), layers[2].weights,
                            layers[2].bias.ravel())
    )  # fmt: skip
    return version("numpy-neural-network"), made


def flexible_way(_):
    # It keeps its layers in a list of unlike lengths, which NumPy wants to be told.
    module = import_module("flexiblenn.NeuralNet")
    own = module.np.array
    module.np.array = lambda value, *rest, **named: (
        value if isinstance(value, list) and value and isinstance(value[0], list)
        and value[0] and hasattr(value[0][0], "compute") else own(value, *rest, **named)
    )  # fmt: skip
    net = module.NeuralNet(2, 2, 1, 2, "sigmoid", 0.5)
    module.np.array = own
    for layer, w, b in ((net.all_nodes[1], W1, B1), (net.all_nodes[2], W2, B2)):
        for node, weights, bias in zip(layer, w, b, strict=True):
            node.weights = np.append(weights, bias)

    def now():
        one, two = ([node.weights for node in net.all_nodes[at]] for at in (1, 2))
        return state([w[:2] for w in one], [w[2] for w in one], [w[:2] for w in two],
                     [w[2] for w in two])  # fmt: skip

    made = after_each(lambda n: net.train(X[row(n)].ravel(), T[row(n)].ravel()), now)
    return version("flexible-neural-network"), made


def backpropagation_way(_):
    from backpropagation.Backpropagation import Backpropagation
    from backpropagation.NeuralNetwork import NeuralNetwork

    net = NeuralNetwork(2, 2, 2)
    net.initalize_weights(bias=True)
    net.hidden_weights, net.output_weights = W1.T.copy(), W2.T.copy()
    net.hidden_bias_weights, net.output_bias_weights = B1.reshape(1, 2), B2.reshape(1, 2)
    trainer = Backpropagation(net, epochs=1, lr=0.5)
    made = after_each(
        lambda n: trainer.train(X[row(n)], T[row(n)]),
        lambda: state(net.hidden_weights.T, B1, net.output_weights.T, B2),
    )
    return version("backpropagation"), made


def backpropagation2_way(_):
    from back_propagation import NeuralNetwork

    net = NeuralNetwork(2, 2, 2, W1.ravel().tolist(), 0.35, W2.ravel().tolist(), 0.6)
    made = after_each(
        lambda n: net.train(X[row(n)][0].tolist(), T[row(n)][0].tolist()),
        lambda: state([one.weights for one in net.hidden_layer.neurons], B1,
                      [one.weights for one in net.output_layer.neurons], B2),
    )  # fmt: skip
    return version("BackPropagation2"), made


def perceptron_way(_):
    from multilayer_perceptron.network import Network

    net = Network([2, 2, 2])
    net.weights = [W1.copy(), W2.copy()]
    net.biases = [B1.reshape(-1, 1).copy(), B2.reshape(-1, 1).copy()]
    made = after_each(
        lambda n: net.update_network(X[row(n)].T, T[row(n)].T, 0.5),
        lambda: state(net.weights[0], net.biases[0].ravel(), net.weights[1],
                      net.biases[1].ravel()),
    )  # fmt: skip
    return version("multilayer-perceptron-from-scratch"), made


def pybrain_way(way):
    import scipy

    for source in (np, np.random):
        for name in dir(source):
            if not hasattr(scipy, name):  # PyBrain takes NumPy's names from SciPy
                setattr(scipy, name, getattr(source, name))
    from pybrain3.datasets import SupervisedDataSet
    from pybrain3.structure import SigmoidLayer
    from pybrain3.supervised.trainers import BackpropTrainer, RPropMinusTrainer
    from pybrain3.tools.shortcuts import buildNetwork

    def made(last):
        net = buildNetwork(2, 2, 2, hiddenclass=SigmoidLayer, outclass=SigmoidLayer, bias=True)
        places = {(one.inmod.name, one.outmod.name): one
                  for group in net.connections.values() for one in group}  # fmt: skip
        wanted = {("in", "hidden0"): W1, ("bias", "hidden0"): B1, ("hidden0", "out"): W2,
                  ("bias", "out"): B2}  # fmt: skip
        for place, value in wanted.items():
            places[place].params[:] = value.ravel()
        data = SupervisedDataSet(2, 2)
        for x, t in zip(X, T, strict=True):
            data.addSample(x, t)
        if way == "rprop":
            trainer = RPropMinusTrainer(net, dataset=data)
        else:
            random.seed(3)
            trainer = BackpropTrainer(net, data, learningrate=0.5, batchlearning=way == "batch")
        for _ in range(last):
            trainer.train()
        read = [places[place].params.copy() for place in wanted]
        return state(read[0].reshape(2, 2), read[1], read[2].reshape(2, 2), read[3])

    epochs = (1, 20) if way == "" else (1, 2, 3, 20)
    with contextlib.redirect_stdout(io.StringIO()):
        return version("PyBrain3"), {str(n if way else 3 * n): made(n) for n in epochs}


def ffnet_way(way):
    from ffnet import ffnet, mlgraph

    def made(last):
        net = ffnet(mlgraph((2, 2, 2)))
        # conec has a pair (from, to) a weight, 0 for the bias; units are counted from 1.
        value = {(0, 3): B1[0], (0, 4): B1[1], (0, 5): B2[0], (0, 6): B2[1]}
        value |= {(i + 1, j + 3): W1[j, i] for i in (0, 1) for j in (0, 1)}
        value |= {(i + 3, j + 5): W2[j, i] for i in (0, 1) for j in (0, 1)}
        pairs = [tuple(map(int, pair)) for pair in net.conec]
        net.weights[:] = [value[pair] for pair in pairs]
        if way == "rprop":
            net.train_rprop(X, T, maxiter=last)
        else:
            net.train_momentum(X, T, eta=0.5, momentum=0.8, maxiter=last)
        now = dict(zip(pairs, net.weights, strict=True))
        return state([[now[i + 1, j + 3] for i in (0, 1)] for j in (0, 1)],
                     [now[0, 3], now[0, 4]],
                     [[now[i + 3, j + 5] for i in (0, 1)] for j in (0, 1)],
                     [now[0, 5], now[0, 6]])  # fmt: skip

    return version("ffnet"), {str(n): made(n) for n in (1, 2, 3, 20)}


def opencv_way(way):
    import cv2

    samples, targets = X.astype(np.float64), T.astype(np.float64)
    data = cv2.ml.TrainData_create(samples.astype(np.float32), cv2.ml.ROW_SAMPLE,
                                   targets.astype(np.float32))  # fmt: skip

    def settings(net, epochs):
        if way == "rprop":
            net.setTrainMethod(cv2.ml.ANN_MLP_RPROP, 0.1)
        else:
            net.setTrainMethod(cv2.ml.ANN_MLP_BACKPROP, 0.1, 0.1)
        net.setTermCriteria((cv2.TERM_CRITERIA_MAX_ITER, epochs, 0))

    def made(last):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "net.yml"
            net = cv2.ml.ANN_MLP_create()
            net.setLayerSizes(np.array([2, 2, 2]))
            net.setActivationFunction(cv2.ml.ANN_MLP_SIGMOID_SYM, 0, 0)
            settings(net, 1)
            net.train(data)  # it scales; weights are put in their place
            net.save(str(file))
            text = file.read_text(encoding="utf-8")
            place = text.index("   weights:") + len("   weights:")
            layers = "".join(
                f"\n      - [ {', '.join(repr(float(v)) for v in np.vstack([w.T, b]).ravel())} ]"
                for w, b in ((W1, B1), (W2, B2))
            )
            file.write_text(text[:place] + layers + "\n", encoding="utf-8")
            net = cv2.ml.ANN_MLP_load(str(file))
            settings(net, last)
            net.train(data, cv2.ml.ANN_MLP_UPDATE_WEIGHTS)
            one, two = net.getWeights(1), net.getWeights(2)
            return state(one[:2].T, one[2], two[:2].T, two[2])

    epochs = (1, 2, 3, 20)
    return cv2.__version__, {str(n if way == "rprop" else 3 * n): made(n) for n in epochs}


WAYS = {"opencv": opencv_way, "neuralnetlib": neuralnetlib_way,
        "npnet": npnet_way, "another-neural-net": another_way,
        "numpy-neural-network": numpy_network_way, "flexible-neural-network": flexible_way,
        "backpropagation": backpropagation_way, "backpropagation2": backpropagation2_way,
        "multilayer-perceptron-from-scratch": perceptron_way, "pybrain": pybrain_way,
        "ffnet": ffnet_way}  # fmt: skip

if __name__ == "__main__":
    document = {}
    for name in sys.argv[1:]:
        program = name if name in WAYS else name.rpartition("-")[0]
        found_version, weights = WAYS[program](name.removeprefix(program).removeprefix("-"))
        document[name] = {"version": found_version, "weights": weights}
    json.dump(document, sys.stdout)
