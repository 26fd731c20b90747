"""What a notebook shows of graphs and runs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import nodeflow as nf
from nodeflow.export.notebook import MOST


def test_a_graph_is_its_drawing_inside_html_and_a_line_of_text():
    graph = nf.sample("one-neuron")
    shown = graph._repr_mimebundle_(include=None, exclude=None)
    assert shown["text/plain"] == "graph 'one neuron', 6 nodes, 5 wires"
    assert shown["image/svg+xml"] in shown["text/html"]
    assert shown["text/html"] == graph._repr_html_()
    texts = "".join(ET.fromstring(shown["image/svg+xml"]).itertext())
    assert all(key in texts for key in graph.nodes)


def test_a_run_shows_the_values_of_its_moment():
    run = nf.Run(nf.sample("one-neuron"))
    assert "cost" not in run._repr_mimebundle_()["text/plain"]
    run.advance("update")
    shown = run._repr_mimebundle_()
    told = "epoch 1 · sample 0 of 1 · before its first step, cost 0.49"
    assert shown["text/plain"].endswith(told)
    assert "1.2" in "".join(ET.fromstring(shown["image/svg+xml"]).itertext())
    step = run.step()  # the node that was evaluated, as a page says it, not the next one
    assert f" · {step.phase} · {step.node}, cost" in run._repr_mimebundle_()["text/plain"]


def test_names_stay_text_and_what_cannot_be_drawn_is_told():
    graph = replace(nf.sample("one-neuron"), name="<script>alert(1)</script>")
    assert "<script" not in graph._repr_html_()
    assert nf.Graph()._repr_html_() == "<p>graph without a name, 0 nodes, 0 wires</p>"
    many = nf.Graph(nodes={f"n{i}": nf.Node("constant") for i in range(MOST + 1)})
    assert set(many._repr_mimebundle_()) == {"text/html", "text/plain"}
    assert "svg" in nf.Run(nf.Graph(nodes={"s": nf.Node("sigmoid")}), strict=False)._repr_html_()
