"""The pages in the site that compute: node types, lessons, graphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.errors import DataError, ExportError
from nodeflow.export import html, live
from nodeflow.export.svg import svg
from nodeflow.graph import Graph
from nodeflow.scene import scene
from nodeflow.theme import LIGHT
from website.examples import example

LARGEST = 1_500_000
"""A page of more is a recording of a few samples."""


def pages() -> Iterator[tuple[str, Graph]]:
    """Yield the name of each page, without its ending, and its graph."""
    for name in CATALOG:
        yield f"type-{name}", example(name)
    for name in sorted(nf.examples.samples()):
        if not name.startswith("twins/"):
            yield name.replace("lessons/", "lesson-"), nf.sample(name)


def page(graph: Graph) -> str:
    """Return a graph as a page that computes; as a recording where a page cannot.

    Where its data must be fetched, and is not here, it is a drawing that says so.
    """
    try:
        found = live.page(graph, rows=None if _small(graph) else 200)
    except ExportError:
        return html.page(graph, samples=1)
    except DataError as error:
        return _drawn(graph, str(error))
    return found if len(found) <= LARGEST else live.page(graph, rows=50)


def _drawn(graph: Graph, why: str) -> str:
    fetched = re.search(r"`(nodeflow data get [\w-]+)`", why)
    how = f": <code>{fetched[1]}</code> fetches it" if fetched else ""
    style = f"body {{ font-family: sans-serif; background: {LIGHT.canvas}; color: {LIGHT.text}; }}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(graph.name)}</title>'
        f"<style>{style} svg {{ max-width: 100%; height: auto; }}</style>"
        f"<p>The data of this graph was not here when the page was made{how}.</p>"
        f"{svg(scene(graph), LIGHT)}</html>"
    )


def _small(graph: Graph) -> bool:
    return len(graph.nodes) < 400


def write(folder: Path, wanted: str = "") -> list[str]:
    """Write all pages whose names begin so into a folder; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, graph in pages():
        if name.startswith(wanted):
            (folder / f"{name}.html").write_text(page(graph), encoding="utf-8")
            names.append(name)
    return names
