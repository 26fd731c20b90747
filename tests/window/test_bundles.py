"""Bundles of wires in the real window: drawn once, each wire found by the pointer, and drops."""

import pytest
from test_window import _has

import nodeflow as nf
from nodeflow.networks import network
from nodeflow.theme import DARK


@pytest.fixture
def layers(started, home):
    file = home / "work" / "layers.json"
    nf.save(nf.explode(network("4-20-12-3", data="iris")), file)
    window = started(file)
    window.until(lambda state: state["live"][0] == "still" and state["trunks"], 60)
    window.settled()
    return window


def test_each_wire_of_a_bundle_is_found_by_the_mouse(layers, mouse, shot):
    x, y, count, text = layers.state["trunks"][0]
    assert (count, text) == (240, "240 wires: hidden1_a.*.a → hidden2.*.a")
    layers.show("hidden2.7", mouse)
    mouse.wheel(*layers.on_screen(x, y), 12)
    layers.until(lambda state: state["camera"][2] > 0.9)
    layers.settled()
    at = layers.on_screen(x, y)
    pixels = shot("trunk")
    zoom = layers.state["camera"][2]
    corner, end = (at[0] - 3, at[1] - 20 * zoom), (at[0] + 3, at[1] + 20 * zoom)
    assert _has(pixels, DARK.forward, corner, end, near=30) > 6 * 7  # as thick as a trunk
    mouse.move(*at)
    layers.until(lambda state: state["hover"] == "wire:hidden1_a.1.a -> hidden2.1.a[0]")
    seen = set()
    for _ in range(4):
        before = layers.state["wire"]
        mouse.click(*at)
        layers.until(lambda state: state["wire"] not in ("", before))  # noqa: B023
        seen.add(layers.state["wire"])
    assert len(seen) == 4
    assert layers.state["count"] == [145, 409]  # quick clicks put no relay in
    layers.settled()
    pixels = shot("selected")
    corner, end = (at[0] - 20, at[1] - 20), (at[0] + 20, at[1] + 20)
    assert _has(pixels, DARK.selected, corner, end, near=30) > 20


def test_a_drop_is_routed_beside_the_window(layers, mouse, shot):
    key = "hidden1_a.3"
    layers.show(key, mouse)
    x, y, wide, _ = layers.state["nodes"][key]
    start = layers.on_screen(x + wide / 2, y + 10)
    mouse.drag(start, (start[0] - 120, start[1] + 230))
    layers.until(lambda state: state["nodes"][key][:2] != [x, y])
    layers.until(lambda state: state["routed"])
    layers.settled()
    assert layers.state["trunks"][0][2] == 240
    shot()
