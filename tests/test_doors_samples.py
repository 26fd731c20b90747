"""Every sample graph through every door that leads out.

It goes, and computes the same there, or is refused in a sentence that says what would mend it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from helpers_interchange import forward
from test_onnx_training import followed
from test_written_programs import compare

import nodeflow as nf
from nodeflow.errors import DataError, InterchangeError
from nodeflow.interchange import imported, layers_of
from nodeflow.interchange.folding import folded
from nodeflow.interchange.layers import Dense

pytestmark = [
    pytest.mark.programs("torch", "onnx", "onnxruntime", "keras", "sklearn", "jax"),
    # What these programs say to their own developers is theirs.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

os.environ.setdefault("KERAS_BACKEND", "torch")
GRAPHS = Path(__file__).parents[1] / "graphs"
SAMPLES = sorted(str(path.relative_to(GRAPHS).with_suffix("")) for path in GRAPHS.rglob("*.json"))
MENDS = re.compile(
    r"\.onnx|\.py|`nodeflow collapse`|add \w+|needs a wire|make it active|--for brainjs2"
)
"""What a refusal has to say: what takes the graph instead, or what is missing in it."""
MANY_UPDATES = 1000
WHOLE = int(os.environ.get("NODEFLOW_DOORS", "0")) >= 200
"""Whether all are tried: `make doors`. Twins are like each other, and large graphs take a while."""
LARGE = ("mnist", "nielsen", "nielsen-unfolded", "lambda-twins", "ng-digits-loop", "ng-digits",
         "starts-huge", "twins/weka", "twins/fann-incremental")  # fmt: skip
TRIED = [name for name in SAMPLES if WHOLE or not (name in LARGE or name.startswith("twins/"))]
TRIED += [] if WHOLE else ["twins/fann-rprop", "twins/neuralnetlib-clipped", "twins/neurolab-gdm"]
TRAIN_NOTHING = ("slopes", "slope-of-the-cost")


def sample(name):
    """Return a graph, and a run that has computed; skips where its data must be fetched."""
    graph = nf.load(GRAPHS / f"{name}.json")
    try:
        run = nf.Run(graph)
    except DataError as error:
        if "fetch" in str(error):
            pytest.skip(str(error))
        raise
    except nf.NodeflowError as error:
        refused(error)
        return graph, None
    run.evaluate()
    return graph, run


def refused(error):
    assert MENDS.search(str(error)) and "\n" not in str(error), error  # noqa: PT018


@pytest.mark.parametrize("name", TRIED)
def test_the_forward_pass_of_every_sample_is_computed_by_onnxruntime(name):
    import onnxruntime

    from nodeflow.interchange.onnx.forward import outputs_of
    from nodeflow.interchange.onnx.writing import write

    graph, run = sample(name)
    if run is None:
        return  # the lesson begins with a graph that is not whole
    session = onnxruntime.InferenceSession(write(graph), providers=["CPUExecutionProvider"])
    addresses = {wire.start for wire in run.plan.graph.wires}
    given = {}
    for one in session.get_inputs():
        endings = (f"{one.name}.value", *(f"{key}.{one.name}" for key in graph.of_type("dataset")))
        address = next(address for address in endings if address in addresses)
        given[one.name] = np.atleast_2d(np.asarray(run[address], np.float64))
    found = session.run(None, given)
    for values, address in zip(found, outputs_of(run.plan), strict=True):
        size = max(1.0, float(np.abs(values).max()))
        assert np.abs(values - np.atleast_2d(run[address])).max() <= 1e-12 * size, address


@pytest.mark.parametrize("name", TRIED)
def test_one_update_of_every_sample_is_computed_by_onnxruntime(name):
    graph, run = sample(name)
    if run is None:
        return
    if graph.of_type("minimize"):
        followed_search(graph, run)
        return
    try:
        followed(graph, 2, 1e-12)
    except InterchangeError as error:
        refused(error)
        assert name in TRAIN_NOTHING


def followed_search(graph, run):
    """Check that J and its slopes, which are all that a search asks for, come from ONNX."""
    import onnxruntime
    from scipy.optimize import minimize

    from nodeflow.interchange.onnx.writing import write

    session = onnxruntime.InferenceSession(write(graph, backward=True))
    inputs = [one.name for one in session.get_inputs() if one.name.endswith(".value")]
    outputs = [one.name for one in session.get_outputs()]
    assert outputs == ["cost", *(f"{name.removesuffix('.value')}.gradient" for name in inputs)]
    sizes = [one.shape for one in session.get_inputs() if one.name.endswith(".value")]
    rows = next(iter(run.machine.splits.values()))
    data = {name: np.array(getattr(rows, name), np.float64) for name in ("x", "y")}

    def asked(theta):
        parts = np.split(theta, np.cumsum([int(np.prod(size)) for size in sizes])[:-1])
        given = {n: p.reshape(s) for n, p, s in zip(inputs, parts, sizes, strict=True)}
        cost, *slopes = session.run(None, {**data, **given})
        return float(cost), np.concatenate([slope.ravel() for slope in slopes])

    trained = nf.Run(graph)
    trained.train(updates=3)
    trained.evaluate()
    for one in (run, trained):
        cost, slopes = asked(np.concatenate([one.weights[name].ravel() for name in inputs]))
        own = np.concatenate([np.ravel(one.gradient(name)) for name in inputs])
        assert cost == pytest.approx(one.cost, rel=1e-13)
        assert np.abs(slopes - own).max() <= 1e-14
    start = np.concatenate([run.weights[name].ravel() for name in inputs])
    found = minimize(asked, start, jac=True, method="CG", options={"maxiter": 3})
    assert found.fun < 0.8 * run.cost


PROGRAMS = [
    (name, kind) for place, name in enumerate(TRIED) for which, kind in enumerate(
        ("numpy", "torch", "jax")
    ) if WHOLE or place % 6 == 2 * which
]  # fmt: skip


def grown(graph):
    """Return what the last bits of the first weights have become after an epoch.

    Of Nielsen's network, 6,000 updates at the rate 3, it is 1e-4: no two programs agree on more.
    """
    one, other = nf.Run(graph), nf.Run(graph)
    other.set_weights({key: np.nextafter(value, np.inf) for key, value in other.weights.items()})
    ends = [run.weights for run in (one, other) if run.train(1)]
    return max(float(np.abs(ends[0][key] - ends[1][key]).max()) for key in ends[0])


@pytest.mark.parametrize(("name", "kind"), PROGRAMS)
def test_every_sample_is_a_program(name, kind):
    graph, run = sample(name)
    within = 1e-12 if kind == "numpy" else 1e-10
    if run is not None and run.updates_per_epoch > MANY_UPDATES:
        within = max(within, 100 * grown(graph))
    try:
        compare(graph, kind, epochs=1, within=within)
    except nf.NodeflowError as error:
        refused(error)
        assert run is None or name in TRAIN_NOTHING


@pytest.mark.parametrize(
    ("door", "least"),
    [("safetensors", 105), ("mat", 105), ("net", 90), ("brainjs", 65), ("brainjs2", 65),
     ("keras", 100), ("sklearn", 70), ("torch", 100)],
)  # fmt: skip
def test_every_sample_goes_out_as_layers_and_in_again(door, least, tmp_path):
    """Chains of layers come back with the outputs, or the weights, that they went out with."""
    gone = 0
    for name in TRIED if WHOLE else TRIED[::3]:
        graph = nf.load(GRAPHS / f"{name}.json")
        try:
            network = layers_of(graph)
            again = out_and_in(door, graph, network, tmp_path)
        except nf.NodeflowError as error:
            refused(error)
            continue
        gone += 1
        if door in ("safetensors", "mat"):
            sent = [step for step in folded(network, door).steps if isinstance(step, Dense)]
            for one, other in zip(sent, again, strict=True):
                assert np.array_equal(one.weights, other)
            continue
        rows = np.random.default_rng(0).normal(size=(3, network.width_of(network.inputs[0])))
        assert forward(again, rows) == pytest.approx(forward(network, rows), rel=1e-12, abs=1e-12)
    assert gone >= (least if WHOLE else 8)


def out_and_in(door, graph, network, folder):
    """Return the layers that come back; of what holds weights alone the matrices."""
    import torch
    from safetensors.numpy import load_file
    from scipy.io import loadmat

    from nodeflow.export import export

    if door == "torch":
        module = nf.to_torch(graph)
        return layers_of(
            nf.from_torch(
                module, torch.zeros(1, network.width_of(network.inputs[0]), dtype=torch.float64)
            )
        )
    if door == "sklearn":
        return layers_of(nf.from_sklearn(nf.to_sklearn(graph)))
    path = folder / f"m.{'json' if 'brainjs' in door else door}"
    export(graph, path, **({"program": door} if "brainjs" in door else {}))
    if door == "safetensors":
        found = load_file(path)
        keys = [step.name for step in network.steps if isinstance(step, Dense)]
        return [found[f"{key}.weight"] for key in keys]
    if door == "mat":
        found = loadmat(path)
        count = sum(isinstance(step, Dense) for step in network.steps)
        return [found[f"Theta{number}"][:, 1:] for number in range(1, count + 1)]
    kind = "brainjs" if "brainjs" in door else None
    return layers_of(imported(path, format_=kind).graph)
