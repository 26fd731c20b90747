"""The site of the documentation, without building it: `make docs` does that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.export import Job, Options
from nodeflow.export.svg import drawing, svg
from nodeflow.scene import scene
from nodeflow.theme import DARK, LIGHT, THEMES
from website import conf, live, reference
from website.build import ROOT, _moved, _sentence, _shaded
from website.examples import example
from website.links import Offline, broken, judged
from website.shades import darkened


@pytest.mark.parametrize("name", ["weighted_sum", "relu", "squared_error", "average", "expression"])
def test_a_type_has_a_graph_that_runs_and_a_page_that_says_what_it_does(name) -> None:
    graph = example(name)
    assert graph.of_type(name)
    nf.Run(graph).advance("update")
    page = reference.page(CATALOG[name])
    assert CATALOG[name].formula in page
    assert f"live/type-{name}.html" in page
    for port in CATALOG[name].outputs:
        assert f"| `{port.name}` | output |" in page


def test_blame_and_refusals_are_what_the_program_says() -> None:
    page = reference.page(CATALOG["weighted_sum"])
    for name in ("blame", "weight_gradient", "bias_gradient"):
        assert f"[{name}]({name}.md)" in page
    with pytest.raises(nf.NodeflowError) as told:
        nf.Run(nf.Graph().add("node", "weighted_sum"))
    assert str(told.value).replace("_", "\\_") in page
    assert "from 0 below 1" in reference.page(CATALOG["gradient_descent"])


def test_links_are_followed_to_their_places(monkeypatch, tmp_path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "a.html").write_text(
        '<h1 id="here">A</h1><a href="b.html#there">1</a><a href="#here">2</a>'
        '<a href="b.html#nowhere">3</a><img src="gone.svg"><a href="../outside.html">4</a>'
        '<a href="https://example.org/x">5</a><a href="live/later.html">6</a>'
    )
    (tmp_path / "b.html").write_text('<p id="there">B</p>')
    found = broken(tmp_path, left_out="live/")
    assert [each.split(": ")[1].split(" ")[0] for each in found] == [
        "b.html#nowhere", "gone.svg", "../outside.html",
    ]  # fmt: skip
    assert len(broken(tmp_path)) == 4
    monkeypatch.chdir(tmp_path.parent)  # as `make docs` names it
    assert broken(Path(tmp_path.name), left_out="live/") == found


def test_a_document_leads_to_live_pages_in_place_of_files(tmp_path) -> None:
    text = "See [`xor`](../graphs/xor.json) and [here](../CONTRIBUTING.md#more)."
    moved = _moved(text, tmp_path / "gallery.md")
    assert '<a href="live/xor.html"><code>xor</code></a>' in moved
    assert "](CONTRIBUTING.md#more)" in moved


@pytest.mark.parametrize("name", ["xor", "landscape", "one-neuron-unfolded"])
def test_a_drawing_is_darkened_to_what_is_drawn_in_the_dark(name) -> None:
    shown = scene(nf.sample(name))
    assert darkened(svg(shown, LIGHT)) == svg(shown, DARK)


_PLAIN = {value for value in vars(DARK).values() if isinstance(value, str)} | {
    *DARK.families.values()
}


def test_blends_of_colours_are_darkened_as_well() -> None:
    """A view's bars and stripes are blended from the colours of the theme."""
    graph = nf.sample("slopes")
    light, dark = (drawing(Job(graph, None, Options(one, epochs=0)))[0] for one in THEMES)
    found, wanted = (re.findall(r"#[0-9a-f]{6}", text) for text in (darkened(light), dark))
    assert set(found) - _PLAIN, "there are blends"
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        parts = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
        assert max(abs(a - b) for a, b in parts) <= 2, (one, other)


def test_the_style_sheet_has_its_colours_from_the_themes() -> None:
    style = (ROOT / "website" / "static" / "site.css").read_text("utf-8")
    used = set(re.findall(r"var\(--(drawing-[a-z]+)\)", style))
    for theme in THEMES.values():
        given = conf.html_theme_options[f"{theme.name}_css_variables"]
        assert used == given.keys()
        assert given["drawing-canvas"] == theme.canvas
        assert not any(colour in style for colour in vars(theme).values() if "#" in colour)


def test_a_plot_stays_on_its_paper(tmp_path) -> None:
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "plot.svg").write_text('<svg><rect fill="#ffffff"/></svg>')
    shown = scene(nf.sample("xor"))
    (tmp_path / "gallery" / "graph.svg").write_text(svg(shown, LIGHT))
    text = _shaded("![A plot.](gallery/plot.svg)\n\n![A graph.](gallery/graph.svg)", tmp_path)
    assert text == (
        "![A plot.](gallery/plot.svg){.paper}\n\n"
        "![A graph.](gallery/graph.svg){.drawing .only-light}"
        "![A graph.](gallery/graph-dark.svg){.drawing .only-dark}"
    )
    assert (tmp_path / "gallery" / "graph-dark.svg").read_text() == svg(shown, DARK)


def test_a_graph_without_its_data_is_drawn_and_that_is_said(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    text = live.page(nf.sample("mnist"))
    assert "<code>nodeflow data get mnist</code> fetches it" in text
    assert "<svg" in text
    assert str(tmp_path) not in text


def test_the_first_sentence_of_a_text() -> None:
    assert _sentence("After M. Laine's lessons. More of it.") == "After M. Laine's lessons"


def test_links_that_lead_elsewhere_are_judged() -> None:
    def at(uri: str, status: str, info: str = "") -> dict[str, object]:
        return {"filename": "data.md", "lineno": 3, "uri": uri, "status": status, "info": info}

    gone = at("https://a.example/b", "broken", "404 Client Error: Not Found")
    away = at("https://c.example/", "broken", "Max retries exceeded (NameResolutionError: …)")
    good, local = at("https://d.example/", "working"), at("data.md", "local")
    checked, wrong = judged([good, gone, away, local])
    assert checked == ["https://a.example/b", "https://c.example/", "https://d.example/"]
    assert wrong[0] == (
        "data.md, line 3: https://a.example/b leads nowhere (404 Client Error: Not Found)"
    )
    assert len(wrong) == 2
    with pytest.raises(Offline, match="there is no network here: none of the 1 links"):
        judged([away, local])
    assert judged([local]) == ([], [])
