"""Where parameters start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nodeflow as nf
from nodeflow.errors import GraphError


def layer(source: str, classes: int, features: int, init: str, **values: object) -> nf.Graph:
    x, y = nf.dataset(source, id="data")
    weights = nf.parameter(shape=(classes, features), init=init, id="w", **values)
    bias = nf.parameter(shape=(classes,), init=init, id="b", **values)
    z = nf.weighted_sum(x, weights, bias, id="sum")
    if classes != 3:
        return nf.Graph.of(z)
    return nf.Graph.of(nf.gradient_descent(nf.squared_error(nf.softmax(z), y)))


def test_naive_bayes_is_the_linear_discriminant_of_the_classes() -> None:
    """Against class means, mean within-class variance and priors, worked out with loops."""
    run = nf.Run(layer("blobs", 3, 2, "naive_bayes"))
    split = run.machine.splits["data"]
    rows = [[] for _ in range(3)]
    for x, y in zip(split.x, split.y, strict=True):
        rows[int(np.argmax(y))].append(x)
    for feature in range(2):
        spread = np.mean([np.var([row[feature] for row in of]) for of in rows])
        for number, of in enumerate(rows):
            wanted = np.mean([row[feature] for row in of]) / spread
            assert run.weights["w.value"][number, feature] == pytest.approx(wanted)
    for number, of in enumerate(rows):
        wanted = np.log(len(of) / len(split.x))
        for feature in range(2):
            spread = np.mean([np.var([row[feature] for row in one]) for one in rows])
            wanted -= np.mean([row[feature] for row in of]) ** 2 / spread / 2
        assert run.weights["b.value"][number] == pytest.approx(wanted)


def test_naive_bayes_of_a_class_without_a_training_row(tmp_path) -> None:
    """It stands at the mean of all rows, with the share of half a row; the others in their place.

    The expected numbers are worked out by hand for rows (0, 0), (2, 0) of "a" and (4, 2), (6, 6)
    of "c"; all of "b" are set apart for testing.
    """
    (tmp_path / "few.csv").write_text("0,0,a\n2,0,a\n9,9,b\n4,2,c\n6,6,c\n")
    graph = replace(layer("few.csv", 4, 2, "naive_bayes"), folder=tmp_path)
    graph = graph.set("data", test=0.2, scale="none", target_kind="classes")
    for seed in range(20):
        run = nf.Run(graph, seed=seed)
        split = run.machine.splits["data"]
        if split.x_test.tolist() == [[9, 9]]:
            break
    assert split.y.shape == (4, 3)
    assert not split.y[:, 1].any()
    means = np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]])  # a, all rows for b, c
    variances = np.array([1.0, 2.0])  # the mean of (1, 0) and (1, 4)
    shares = np.array([0.5, 0.5 / 4, 0.5])
    weights = means / variances
    biases = np.log(shares) - (means**2 / variances).sum(axis=1) / 2
    np.testing.assert_allclose(run.weights["w.value"], weights[[0, 1, 2, 0]], rtol=1e-15)
    np.testing.assert_allclose(run.weights["b.value"], biases[[0, 1, 2, 0]], rtol=1e-15)
    exploded = nf.Run(nf.explode(graph, "sum"), seed=seed)
    for number in range(4):
        found = exploded.weights[f"w.{number + 1}.value"].ravel()
        assert found.tolist() == run.weights["w.value"][number].tolist()


def test_naive_bayes_separates_blobs_before_any_training() -> None:
    run = nf.Run(layer("blobs", 3, 2, "naive_bayes"))
    assert run.machine.assess(test=False)[1] > 0.95


def test_naive_bayes_away_from_the_data_is_refused() -> None:
    graph = nf.Graph.of(nf.add(nf.parameter(shape=(3,), init="naive_bayes", id="p"), 1.0))
    with pytest.raises(GraphError, match="'p' cannot start from naive_bayes"):
        nf.Run(graph)


def test_the_other_starts_have_the_ranges_they_promise() -> None:
    starts = {init: nf.Run(layer("blobs", 300, 2, init)).weights for init in ("uniform", "glorot")}
    assert np.abs(starts["uniform"]["w.value"]).max() <= 0.5
    assert np.abs(starts["uniform"]["w.value"]).max() > 0.45
    limit = np.sqrt(6 / 302)
    assert 0.9 * limit < np.abs(starts["glorot"]["w.value"]).max() <= limit
    assert not starts["glorot"]["b.value"].any()
    normal = nf.Run(layer("blobs", 3000, 2, "normal")).weights["w.value"]
    assert abs(normal.mean()) < 0.05
    assert normal.std() == pytest.approx(1, abs=0.05)
    assert not nf.Run(layer("blobs", 3, 2, "zeros")).weights["w.value"].any()


def test_constant_fills_the_shape_with_its_number() -> None:
    run = nf.Run(layer("blobs", 3, 2, "constant", value=0.25))
    assert (run.weights["w.value"] == np.full((3, 2), 0.25)).all()
    with pytest.raises(GraphError, match="'b' starts constant: give the number as its value"):
        nf.Run(layer("blobs", 3, 2, "constant"))


def test_an_id_has_its_own_random_numbers() -> None:
    graph = layer("blobs", 3, 2, "uniform")
    other = nf.Graph(
        nodes={"v" if key == "w" else key: node for key, node in graph.nodes.items()},
        wires=tuple(replace(one, source="v") if one.source == "w" else one for one in graph.wires),
        training=graph.training,
    )
    weights = nf.Run(graph).weights["w.value"]
    assert not np.array_equal(weights, nf.Run(other).weights["v.value"])
    renamed = graph.rename("w", "v")  # it is still the same parameter
    assert np.array_equal(weights, nf.Run(renamed).weights["v.value"])
    same = replace(graph, name="another")
    assert np.array_equal(nf.Run(graph).weights["w.value"], nf.Run(same).weights["w.value"])
