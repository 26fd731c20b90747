"""scikit-learn's networks and linear models.

Their weights are (in, out), and are turned over. The gradient of the squared error is that of
½ Σ e², whatever `loss_` shows, so the cost is `squared_error` with half. `alpha` is α/n in a
batch of n rows: an l2_penalty, which is left out where n is not known, and that is said.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nodeflow.declare import CATALOG
from nodeflow.errors import InterchangeError
from nodeflow.graph import Graph
from nodeflow.interchange.building import graph_of
from nodeflow.interchange.chain import ANY, layers_of
from nodeflow.interchange.folding import folded, layers_with_activation
from nodeflow.interchange.layers import (
    Affine,
    Cost,
    Dense,
    Floats,
    Network,
    Step,
    activation,
    cost_of,
)
from nodeflow.interchange.naming import known, named

_MISSING = "scikit-learn is not installed; pip install 'nodeflow[datasets]'"


def from_sklearn(estimator: Any) -> Graph:
    """Return the graph of a fitted MLPClassifier, MLPRegressor or linear model."""
    return graph_of(network_of(estimator))


def network_of(estimator: Any) -> Network:
    """Return the layers of a fitted estimator; raises `InterchangeError`."""
    name = type(estimator).__name__
    if hasattr(estimator, "coefs_") and hasattr(estimator, "intercepts_"):
        return _perceptron(estimator, name)
    if hasattr(estimator, "coef_") and hasattr(estimator, "intercept_"):
        return _linear(estimator, name)
    if hasattr(estimator, "steps"):
        return _pipeline([step for _, step in estimator.steps])
    if hasattr(estimator, "best_estimator_"):
        return network_of(estimator.best_estimator_)
    if hasattr(estimator, "module_"):
        raise InterchangeError(
            f"this {name} holds a module of PyTorch: nf.from_torch(net.module_.eval(), example)"
        )
    if hasattr(estimator, "fit"):
        raise InterchangeError(
            f"this {name} has no weights; fit it first, or it is no network (MLPClassifier, "
            "MLPRegressor, LogisticRegression and other linear models are)"
        )
    raise InterchangeError(f"a {name} is no estimator of scikit-learn")


def _pipeline(steps: Sequence[Any]) -> Network:
    """Return the layers of a pipeline: scalings of the features, and a network."""
    network, found = network_of(steps[-1]), []
    for step in steps[:-1]:
        if step is None or step == "passthrough":
            continue
        made = _scaler(step)
        if made is None:
            raise InterchangeError(
                f"the pipeline has a {type(step).__name__} before its network, and scalings "
                "(StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler) come in; "
                "nf.from_sklearn(pipeline[-1]) takes the network alone"
            )
        found.append(made)
    return replace(network, steps=(*found, *network.steps))


def _scaler(step: Any) -> Affine | None:
    """Return what a scaler of scikit-learn does to each feature; None if it is something else."""
    name = type(step).__name__
    if getattr(step, "clip", False) or not hasattr(step, "n_features_in_"):
        return None
    ones, zeros = np.ones(step.n_features_in_), np.zeros(step.n_features_in_, float)
    scale = getattr(step, "scale_", None)
    scale = ones if scale is None else _floats(scale)
    if name == "MinMaxScaler":
        return Affine("scaler", scale, _floats(step.min_))
    middle = {"StandardScaler": "mean_", "RobustScaler": "center_", "MaxAbsScaler": ""}.get(name)
    if middle is None:
        return None
    center = getattr(step, middle, None) if middle else None
    return Affine("scaler", 1 / scale, zeros if center is None else -_floats(center) / scale)


def _perceptron(estimator: Any, name: str) -> Network:
    steps: list[Step] = []
    last = len(estimator.coefs_) - 1
    for number, (weights, bias) in enumerate(
        zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ):
        layer = "output" if number == last else f"hidden{number + 1}"
        steps.append(Dense(layer, _floats(weights).T, _floats(bias)))
        kind = estimator.out_activation_ if number == last else estimator.activation
        found = activation(f"{layer}_a", "exponential" if kind == "exp" else kind)
        if found is None:
            raise InterchangeError(f"the activation '{kind}' of this {name} is not known")
        if found.kind != "identity" or number != last:
            steps.append(found)
    outputs = estimator.out_activation_
    cost = {
        "softmax": Cost("categorical_cross_entropy"), "logistic": Cost("cross_entropy"),
        "exp": cost_of("poisson"),
    }.get(outputs, Cost("squared_error", half=True))  # fmt: skip
    searches = estimator.solver == "lbfgs"  # it takes all rows at once, whatever batch_size says
    known = isinstance(estimator.batch_size, int) and not searches
    batch = int(estimator.batch_size) if known else None
    trainer, settings = _trainer(estimator)
    notes = []
    penalty = estimator.alpha / batch if batch else 0.0
    if estimator.alpha and batch:
        notes.append(f"alpha {estimator.alpha:g} is divided by the {batch} rows of a batch")
    elif estimator.alpha:
        notes.append(
            f"alpha {estimator.alpha:g} is left out: it is divided by the rows of a batch, which "
            f"are not known; add an l2_penalty with {estimator.alpha:g}/rows"
        )
    if estimator.solver == "sgd" and estimator.momentum and estimator.nesterovs_momentum:
        notes.append(
            f"its momentum {estimator.momentum:g} is Nesterov's, and is left out: the twin "
            "sklearn-nesterov has it"
        )
    return Network(
        tuple(steps), f"scikit-learn ({name})", name=name, cost=cost, trainer=trainer,
        settings=settings, batch=batch, penalty=penalty, names=_names(estimator),
        notes=tuple(notes),
    )  # fmt: skip


def _trainer(estimator: Any) -> tuple[str, dict[str, Any]]:
    kind = known("sklearn", "trainer")[estimator.solver]
    if CATALOG[kind].searches:
        return kind, {"method": "l-bfgs"}
    settings = {"rate": float(estimator.learning_rate_init)}
    if "momentum" in CATALOG[kind].defaults and not estimator.nesterovs_momentum:
        settings |= {"momentum": float(estimator.momentum)} if estimator.momentum else {}
    return kind, settings


def _by_number(type_: str) -> bool:
    return CATALOG[type_].is_elementwise


def _linear(estimator: Any, name: str) -> Network:
    """Return a linear model: of what it predicts its class says nothing, so it is asked."""
    weights = np.atleast_2d(_floats(estimator.coef_))
    bias = np.broadcast_to(_floats(estimator.intercept_).reshape(-1), (len(weights),)).copy()
    # Rows whose z lie about 0: far from it sigmoids and what is cut off are all alike.
    wanted = np.random.default_rng(0).uniform(-2, 2, (_ROWS, len(weights)))
    rows = (wanted - bias) @ np.linalg.pinv(weights).T
    z = rows @ weights.T + bias
    several = len(weights) > 1
    kind, cost, notes = "identity", None, []
    if hasattr(estimator, "predict_proba") and hasattr(estimator, "classes_"):
        shares = _asked(estimator.predict_proba, rows)
        each = CATALOG["sigmoid"].function(z)
        if not several and _alike(shares[:, 1:], each):
            kind, cost = "sigmoid", Cost("cross_entropy")
        elif several and _alike(shares, CATALOG["softmax"].function(z)):
            kind, cost = "softmax", Cost("categorical_cross_entropy")
        elif several and _alike(shares, each / each.sum(axis=1, keepdims=True)):
            kind, cost = "sigmoid", Cost("cross_entropy")
            notes.append("each class was learned against the rest: predict_proba divides these "
                         "outputs by their sum")  # fmt: skip
        else:
            notes.append("its predict_proba makes shares in another way: the outputs are those of "
                         "decision_function")  # fmt: skip
    elif hasattr(estimator, "predict") and not hasattr(estimator, "classes_"):
        found = _asked(estimator.predict, rows)
        if _alike(found, np.exp(z)):
            kind, cost = "exponential", cost_of("poisson") if "Poisson" in name else None
        elif found.shape == z.shape and _alike(found - z, (found - z)[:1]):
            # Of centred features: what they are moved by goes into the bias.
            bias = bias if _alike(found, z) else bias + (found - z)[0]
        else:
            raise InterchangeError(f"a {name} predicts something else than its weights give")
    steps: list[Step] = [Dense("output", weights, bias)]
    end = activation("output_a", kind)
    if end is not None and end.kind != "identity":
        steps.append(end)
    return Network(
        tuple(steps), f"scikit-learn ({name})", name=name, cost=cost, names=_names(estimator),
        batch="all", notes=tuple(notes),
    )  # fmt: skip


_ROWS = 16


def _asked(function: Any, rows: Floats) -> Floats:
    """Return what an estimator says of rows, as (rows, outputs)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the names of features, which rows have not
        return _floats(function(rows)).reshape(len(rows), -1)


def _alike(one: Floats, other: Floats) -> bool:
    return one.shape[1:] == other.shape[1:] and bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))


def _floats(values: Any) -> Floats:
    return np.asarray(values, np.float64)


def _names(estimator: Any) -> tuple[str, ...]:
    return tuple(map(str, getattr(estimator, "feature_names_in_", ())))


# --- out ------------------------------------------------------------------------------------------


def to_sklearn(graph: Graph, weights: Any = None) -> Any:
    """Return a fitted MLPClassifier or MLPRegressor with the weights of a graph.

    It predicts as if it had been fitted: an output of softmax, or a single sigmoid, makes a
    classifier of the classes 0, 1, …, several sigmoids one that answers each by itself; everything
    else makes a regressor. Hidden layers have one and the same activation there.
    """
    network = layers_of(graph, weights)
    try:
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.preprocessing import LabelBinarizer
    except ImportError:
        raise InterchangeError(_MISSING) from None
    layers = layers_with_activation(folded(network, "scikit-learn"), "scikit-learn")
    dense = [step for step, _ in layers]
    kinds = ["identity" if after is None else after.formula or after.kind for _, after in layers]
    hidden, out = kinds[:-1], kinds[-1]
    theirs = {ours: name for name, ours in known("sklearn").items() if _by_number(ours)}
    if len(set(hidden)) > 1 or any(kind not in theirs for kind in hidden):
        raise InterchangeError(
            f"scikit-learn has one activation for all hidden layers ({', '.join(theirs)}), and "
            f"the graph has {', '.join(dict.fromkeys(hidden))}; {ANY}"
        )
    outputs = len(dense[-1].weights)
    classifies = out in ("softmax", "sigmoid")
    if not classifies and out != "identity":
        raise InterchangeError(
            f"networks of scikit-learn end in softmax, sigmoid or without an activation, and the "
            f"graph in {out}; {ANY}"
        )
    sizes = tuple(len(step.weights) for step in dense[:-1])
    made = (MLPClassifier if classifies else MLPRegressor)(
        hidden_layer_sizes=sizes, activation=theirs[hidden[0]] if hidden else "identity"
    )
    made.coefs_ = [np.ascontiguousarray(step.weights.T) for step in dense]
    made.intercepts_ = [
        np.zeros(len(step.weights), float) if step.bias is None else step.bias.copy()
        for step in dense
    ]
    made.n_layers_ = len(dense) + 1
    made.n_features_in_ = dense[0].weights.shape[1]
    made.n_outputs_ = outputs
    made.out_activation_ = named(out, "sklearn")
    made.n_iter_, made.t_, made.loss_, made.loss_curve_ = 0, 0, float("nan"), []
    if classifies:
        several = out == "sigmoid" and outputs > 1  # each output its own yes or no
        made.classes_ = np.arange(2 if outputs == 1 else outputs)
        labels = np.eye(outputs, dtype=int) if several else made.classes_
        made._label_binarizer = LabelBinarizer().fit(labels)  # noqa: SLF001 (predict reads it)
    return made
