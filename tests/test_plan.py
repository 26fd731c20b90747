"""The plan: an order that the graph alone decides, and that large graphs get soon."""

import random
import time
from dataclasses import replace

import networkx as nx
import pytest
from networks import hand, net

import nodeflow as nf
from nodeflow.derive.phases import PHASES
from nodeflow.engine.plan import plan

GRAPHS = {
    "layers": lambda: net("blobs", (2, 4, 3), batch=8, l2=0.01),
    "adam": lambda: net("blobs", (2, 4, 3), trainer="adam"),
    "softmax": lambda: net(
        "blobs", (2, 4, 3), act="relu", last="softmax", cost="categorical_cross_entropy"
    ),
    "wired by hand": lambda: hand("blobs", (2, 4, 3), rate=0.3, batch=8),
    "sample loop": lambda: hand("blobs", (2, 4, 3), rate=0.3, batch=8, loop=True),
    "unfolded": lambda: nf.unfold(net("blobs", (2, 4, 3))),
}


def digraph(made):
    """The evaluated graph without feedback wires, in networkx."""
    found = nx.DiGraph()
    found.add_nodes_from(made.order)
    found.add_edges_from(
        (w.source, w.target)
        for w in made.graph.wires
        if w.target in found and w.input not in ("next", "previous")
    )
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_each_node_comes_after_those_that_feed_it(name):
    """Every node once, in a topological order."""
    made = plan(GRAPHS[name]())
    place = {key: number for number, key in enumerate(made.order)}
    assert len(place) == len(made.order) == len(made.graph.nodes)
    assert all(place[a] < place[b] for a, b in digraph(made).edges)


@pytest.mark.parametrize("name", GRAPHS)
def test_ties_go_by_phase_rank_and_id(name):
    """Of the nodes that may come next, the first by stage, phase, longest way, and id comes."""
    made = plan(GRAPHS[name]())
    graph = digraph(made)
    rank = {key: n for n, layer in enumerate(nx.topological_generations(graph)) for key in layer}
    tail = set(made.order[made.head :])
    done, expected = set(), []
    while len(done) < len(made.order):
        ready = [k for k in graph if k not in done and done.issuperset(graph.predecessors(k))]
        best = min(ready, key=lambda k: (k in tail, made.phases[k], rank[k], k))
        done.add(best)
        expected.append(best)
    assert list(made.order) == expected


@pytest.mark.parametrize("name", GRAPHS)
def test_phases_follow_each_other(name):
    """Forward, backward, update, in this order within each pass."""
    made = plan(GRAPHS[name]())
    for part in (made.order[: made.head], made.order[made.head :]):
        phases = [made.phases[key] for key in part]
        assert phases == sorted(phases)
    of = {key: PHASES[made.phases[key]] for key in made.order}
    assert of["data"] == of["hidden1"] == of["cost"] == of["accuracy"] == "forward"
    for key, phase in of.items():
        family = made.graph.type_of(key).family
        assert phase == {"backward": "backward", "update": "update"}.get(family, phase), key
    assert set(of.values()) == set(PHASES)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_order_of_writing_does_not_matter(name):
    """Nodes and wires in any order give the same plan, and the same numbers."""
    graph = GRAPHS[name]()
    made = plan(graph)
    shuffler = random.Random(3)
    for _ in range(3):
        nodes, wires = list(graph.nodes.items()), list(graph.wires)
        shuffler.shuffle(nodes)
        shuffler.shuffle(wires)
        other = replace(graph, nodes=dict(nodes), wires=tuple(wires))
        assert plan(other).order == made.order
        assert plan(other).phases == made.phases
    first, second = nf.Run(graph), nf.Run(other)
    assert first.train(2) == second.train(2)


def lattice(count):
    """A graph of so many nodes: rows of additions and sines, each fed by two of the row before."""
    width = 100
    nodes, wires = {"x": nf.Node("constant", {"value": 0.5})}, []
    for number in range(count - 1):
        row, column = divmod(number, width)
        key = f"n{row}_{column}"
        nodes[key] = nf.Node("tanh" if row % 2 else "add")
        port = "z" if row % 2 else "a"
        if row == 0:
            wires.append(nf.Wire("x", "value", key, port))
            continue
        output = "value" if row % 2 else "a"
        wires.append(nf.Wire(f"n{row - 1}_{column}", output, key, port, None if row % 2 else 0))
        if not row % 2:
            neighbour = f"n{row - 1}_{(column + 1) % width}"
            wires.append(nf.Wire(neighbour, output, key, port, 1))
    return nf.Graph(nodes=nodes, wires=tuple(wires), name="lattice")


def test_ten_thousand_nodes_are_loaded_planned_and_run_in_about_a_second(tmp_path):
    """From the file to the values; coverage and a busy machine multiply the time."""
    path = tmp_path / "lattice.json"
    nf.save(lattice(10_000), path)
    nf.Run(lattice(300)).evaluate()  # what is compiled, and imported, is not counted
    begin = time.process_time()
    run = nf.Run(nf.load(path))
    run.train(1)
    assert time.process_time() - begin < 8
    assert run["n98_0.value"].shape == (1, 1)


def test_planning_grows_about_linearly():
    """Four times the nodes take about four times as long, not sixteen."""

    def seconds(count):
        graph = lattice(count)
        begin = time.process_time()
        plan(graph)
        return time.process_time() - begin

    small, large = (min(seconds(count), seconds(count + 1)) for count in (5_000, 20_000))
    assert large < 8 * small


def test_a_graph_with_nothing_to_unfold_is_planned_as_it_is():
    # The same object, so that nothing that it knows of itself is found out twice.
    x = nf.constant(value=1.0, id="x")
    plain = nf.Graph.of(nf.sigmoid(nf.add(x, x)))
    assert plan(plain).graph is plain
    cost = nf.squared_error(nf.multiply(x, nf.parameter(value=2.0, id="w")), 0.0)
    trained = nf.Graph.of(nf.gradient_descent(cost, rate=0.1))
    assert "w.update" in plan(trained).graph.nodes
    assert "w.update" not in trained.nodes
