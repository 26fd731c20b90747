"""Pictures and numbers of a graph, read by other readers than its own."""

import base64
import contextlib
import csv
import io
import json
import re
import resource
import warnings
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pydot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor, ImageFont

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.errors import ExportError, FileError
from nodeflow.export import FORMATS, Cancelled, Options, export
from nodeflow.files import load_run, picture, save_run, unpacking
from nodeflow.fonts import BOLD, REGULAR
from nodeflow.scene import scene, shown
from nodeflow.theme import DARK, LIGHT

GRAPHS = Path(__file__).parent.parent / "graphs"
XOR = GRAPHS / "xor.json"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def xor():
    return nf.load(XOR)


def opened(path):
    with Image.open(path) as image:
        image.load()
    return image


def texts(path):
    return [element.text for element in ET.parse(path).iter(f"{SVG}text")]


# --- pictures ------------------------------------------------------------------------------------


def test_a_drawing_has_every_node_with_the_value_of_a_first_pass(xor, tmp_path):
    out = tmp_path / "xor.svg"
    export(xor, out)
    said = texts(out)
    run = nf.Run(xor)
    run.evaluate()
    for key in xor.nodes:
        assert key in said
    for address in ("hidden.z", "hidden_a.a", "output_a.a", "cost.cost"):
        assert shown(run[address]) in said, address


def test_a_drawing_has_the_colours_of_its_theme(xor, tmp_path):
    fills = {}
    for theme in ("dark", "light"):
        export(xor, tmp_path / "xor.svg", theme=theme)
        fills[theme] = ET.parse(tmp_path / "xor.svg").find(f"{SVG}rect").get("fill")
    assert fills == {"dark": DARK.canvas, "light": LIGHT.canvas}


def test_a_drawing_has_trained_weights_if_they_are_asked_for(xor, tmp_path):
    graph = tmp_path / "xor.json"
    nf.save(xor, graph)
    run = nf.Run(xor)
    run.train(5)
    save_run(tmp_path / "xor.run.npz", run.weights, run.history, {})
    words = shown(run.weights["bias2.value"])
    drawn = {}
    for name, options in {"start": {}, "read": {"trained": True}, "now": {"epochs": 5}}.items():
        export(xor, tmp_path / "x.svg", file=graph, **options)
        drawn[name] = words in texts(tmp_path / "x.svg")
    assert drawn == {"start": False, "read": True, "now": True}


@pytest.mark.parametrize("number", [1.5, 3.375, -8.125, 12.345, 0.001234, -0.5678, 98765.0])
def test_a_weight_on_its_wire_keeps_off_the_ports(number, tmp_path):
    graph = nf.sample("one-neuron").set("x", value=[number]).set("w", value=[[4.0]])
    export(graph, tmp_path / "n.svg")
    text = (tmp_path / "n.svg").read_text(encoding="utf-8")
    ports = [tuple(map(float, one)) for one in re.findall(r'<circle cx="(\S+)" cy="(\S+)"', text)]
    boxes = re.findall(r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="14"', text)
    assert boxes
    for x, y, wide in (map(float, box) for box in boxes):
        for cx, cy in ports:
            dx, dy = max(x - cx, 0, cx - x - wide), max(y - cy, 0, cy - y - 14)
            assert (dx * dx + dy * dy) ** 0.5 > 4.5, (number, cx, cy)


def test_a_graph_that_is_not_ready_is_drawn_all_the_same(tmp_path):
    graph = nf.Graph().add("sum", "weighted_sum").add("two", "constant", value=2.0)
    export(graph, tmp_path / "x.svg")
    assert {"sum", "two"} <= set(texts(tmp_path / "x.svg"))
    export(nf.Graph(), tmp_path / "empty.png")
    assert opened(tmp_path / "empty.png").size == (96, 96)


def shows(type_, value, folder):
    graph = nf.Graph().add("v", "constant", value=value).add("show", type_)
    export(graph.connect("v.value", "show.value"), folder / "x.svg")
    groups = ET.parse(folder / "x.svg").iter(f"{SVG}g")
    return next(one for one in groups if one.findtext(f"{SVG}title", "").startswith("show"))


def test_views_show_their_numbers(tmp_path):
    for type_ in ("panel", "table"):
        said = [text.text for text in shows(type_, [[1.5, -2.25], [0.125, 4]], tmp_path)]
        assert {"1.5", "−2.25", "0.125", "4"} <= set(said)
    assert "42.5" in [text.text for text in shows("panel", 42.5, tmp_path)]
    assert "update 0" in [text.text for text in shows("plot", 1.0, tmp_path)]


def test_bars_are_as_long_as_their_numbers(tmp_path):
    found = shows("bars", [[2.0, -1.0, 4.0]], tmp_path).findall(f"{SVG}rect")[1:]
    lengths = [float(bar.get("width")) for bar in found]
    assert lengths == pytest.approx([lengths[0], lengths[0] / 2, lengths[0] * 2], rel=1e-3)
    assert [bar.get("fill") for bar in found] == [DARK.positive, DARK.negative, DARK.positive]


def test_tiles_are_as_bright_as_their_numbers(tmp_path):
    rows = [[0.0] * 15 + [3.0], [1.0] * 16]
    (held,) = shows("image", rows, tmp_path).findall(f"{SVG}image")
    image = Image.open(io.BytesIO(base64.b64decode(held.get("href").partition(",")[2])))
    wide = image.width // 11  # two tiles of 4, lines of 1 around them
    dark, bright, line = map(ImageColor.getrgb, (DARK.canvas, DARK.text, DARK.border))
    seen = [image.getpixel((x * wide + wide // 2, 4 * wide + wide // 2)) for x in range(11)]
    assert seen == [line, *([dark] * 3), bright, line, *([bright] * 4), line]


@pytest.mark.parametrize(("value", "share"), [(-1.0, 0.0), (0.5, 0.75), (1.0, 1.0)])
def test_a_slider_has_its_handle_where_its_value_is(value, share, tmp_path):
    graph = nf.Graph().add("k", "slider", min=-1.0, max=1.0, value=value).move(k=(40, 30))
    export(graph, tmp_path / "k.svg")
    drawn = ET.parse(tmp_path / "k.svg").iter("{http://www.w3.org/2000/svg}circle")
    (handle,) = [circle for circle in drawn if circle.get("r") == "5"]
    width = scene(graph).nodes["k"].width
    assert float(handle.get("cx")) == pytest.approx(40 + 10 + share * (width - 20))


def test_what_xml_has_not_is_left_out_of_a_drawing(tmp_path):
    graph = nf.Graph().add("note", "panel")
    node = replace(graph.nodes["note"], extra={"note": "bell \x07 & <b>"})
    export(replace(graph, nodes={"note": node}), tmp_path / "x.svg")
    assert "bell \N{REPLACEMENT CHARACTER} & <b>" in texts(tmp_path / "x.svg")


def test_a_png_is_the_drawing_in_pixels(xor, tmp_path):
    left, top, right, bottom = scene(xor).bounds
    for scale in (1, 0.5, 2):
        export(xor, tmp_path / "x.png", scale=scale)
        image = opened(tmp_path / "x.png").convert("RGB")
        wanted = ((right - left + 48) * scale, (bottom - top + 48) * scale)
        assert np.abs(np.subtract(image.size, wanted)).max() <= 1
        assert image.getpixel((2, 2)) == tuple(bytes.fromhex(DARK.canvas[1:]))
        # The header of a node lies where the scene has it.
        node = scene(xor).nodes["hidden"]
        at = (node.x - left + 24 + 90) * scale, (node.y - top + 24 + 4) * scale
        colour = bytes.fromhex(DARK.families["layer"][1:])
        assert image.getpixel((round(at[0]), round(at[1]))) == tuple(colour)


def test_a_picture_that_would_be_too_large_says_so(xor, tmp_path):
    with pytest.raises(ExportError, match=r"scale 60 .* million pixels, and 64 are possible"):
        export(xor, tmp_path / "x.png", scale=60)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", [REGULAR, BOLD], ids=["regular", "bold"])
def test_the_fonts_have_every_sign_of_the_library(path):
    font = ImageFont.truetype(str(path), 40)
    words = "".join(type_.formula + type_.name for type_ in CATALOG.values())
    signs = set(words + "δΔΘαλσ∂₀₁₂₃₄₅₆₇₈₉,ᵀ⊙·×−…▶◀●▾") - {" "}
    missing = font.getmask("\U000f0000")
    blank = (missing.size, bytes(missing))
    assert not [s for s in signs if (font.getmask(s).size, bytes(font.getmask(s))) == blank]


# --- a picture is opened again -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xor", "mazur-neurons-unfolded", "four-layers"])
def test_a_png_carries_the_very_bytes_of_the_graph_file(name, tmp_path):
    file = GRAPHS / f"{name}.json"
    export(nf.load(file), tmp_path / "x.png", scale=0.2)
    assert opened(tmp_path / "x.png").text["nodeflow"] == file.read_text(encoding="utf-8")
    again = nf.load(tmp_path / "x.png")
    assert again.folder == tmp_path
    nf.save(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()


def test_large_arrays_are_inside_the_picture(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 50))
    graph = nf.Graph(name="large").add("w", "parameter", value=values)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    nf.save(graph, tmp_path / "a" / "x.json")
    export(nf.load(tmp_path / "a" / "x.json"), tmp_path / "x.png")
    nf.save(nf.load(tmp_path / "x.png"), tmp_path / "b" / "x.json")
    for name in ("x.json", "x.npz"):
        before, after = ((tmp_path / folder / name).read_bytes() for folder in "ab")
        assert before == after


def test_arrays_of_an_unknown_type_are_refused(tmp_path):
    held = {"file": "x.npz", "array": "n.data", "sha256": "0" * 64}
    graph = nf.Graph(nodes={"n": nf.Node("from_elsewhere", {"data": held})})
    with pytest.raises(ExportError, match=r"unknown type 'from_elsewhere'.*--no-graph"):
        export(graph, tmp_path / "x.png")
    export(graph, tmp_path / "x.png", bare=True)


def test_a_bare_picture_carries_nothing(xor, tmp_path):
    export(xor, tmp_path / "x.png", scale=0.2, bare=True)
    assert opened(tmp_path / "x.png").text == {}
    with pytest.raises(FileError, match=r"x\.png: this picture carries no graph"):
        nf.load(tmp_path / "x.png")


def small(text):
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "PNG")
    return picture.with_graph(stream.getvalue(), text)


def test_a_damaged_picture_is_refused(tmp_path, monkeypatch):
    whole = small(XOR.read_text(encoding="utf-8"))
    path = tmp_path / "x.png"
    at = whole.index(b"nodeflow")
    unpacked = whole.replace(b"nodeflow\0\x01\0\0\0", b"nodeflow\0\0\0\0\0")
    for data in (
        whole[: at + 40],
        whole[: at + 30] + bytes([whole[at + 30] ^ 1]) + whole[at + 31 :],
        unpacked,
        whole[:8] + b"\xff\xff\xff\xff",
    ):
        path.write_bytes(data)
        with pytest.raises(FileError, match=r"breaks off|damaged"):
            nf.load(path)
    path.write_bytes(small("not a graph"))
    with pytest.raises(FileError, match="not JSON"):
        nf.load(path)
    path.write_bytes(small(" " * 100_000))
    monkeypatch.setattr(unpacking, "_FREE", 1000)
    with pytest.raises(FileError, match=r"unpacks from .* bytes to over "):
        picture.graph_in(path.read_bytes())


def test_a_picture_of_weights_that_are_all_zero_can_be_opened(tmp_path, monkeypatch):
    """Zeros are packed to a thousandth, as nothing else that somebody has made is."""
    monkeypatch.setattr(unpacking, "_FREE", 1000)
    graph = nf.Graph().add("w", "parameter", value=np.zeros((100, 100)))
    export(graph, tmp_path / "zeros.png")
    read = nf.load(tmp_path / "zeros.png").settings("w")["value"].values
    assert read.shape == (100, 100)
    assert not read.any()


def test_other_programs_open_a_picture_of_many_weights(tmp_path):
    """Pillow refuses a picture, and libpng its text, if one chunk of text unpacks to too much."""
    values = np.random.default_rng(0).normal(size=(800, 400))
    graph = nf.Graph(about="größer 🜁 " * 30_000).add("w", "parameter", value=values)
    export(graph, tmp_path / "w.png", scale=0.2)
    shown = opened(tmp_path / "w.png")
    assert shown.load()[0, 0]
    assert list(shown.text) == ["nodeflow"]
    kinds = [kind for kind, _ in picture._chunks((tmp_path / "w.png").read_bytes(), "")]
    assert 10 < kinds.count(b"iTXt") < 40
    read = nf.load(tmp_path / "w.png")
    assert np.array_equal(read.settings("w")["value"].values, values)
    assert read.about == graph.about


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_after_the_signature_are_refused_in_words(data, compressed):
    body = b"iTXtnodeflow\0\x01\0\0\0" + (zlib.compress(data) if compressed else data)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    for tail in (data, chunk, chunk + data):
        with contextlib.suppress(FileError):
            found = picture.graph_in(b"\x89PNG\r\n\x1a\n" + tail)
            assert found == data


def test_a_graph_is_not_saved_over_a_picture(xor, tmp_path):
    export(xor, tmp_path / "x.png", scale=0.2)
    before = (tmp_path / "x.png").read_bytes()
    with pytest.raises(FileError, match=r"ends in \.json, not \.png"):
        nf.save(xor, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == before


# --- numbers -------------------------------------------------------------------------------------


def test_weights_are_those_of_the_start_or_of_a_training(xor, tmp_path):
    run = nf.Run(xor)
    for epochs in (None, 0, 3):
        run = nf.Run(xor)
        run.train(epochs or 0)
        options = {} if epochs is None else {"epochs": epochs}
        export(xor, tmp_path / "w.json", **options)
        found = json.loads((tmp_path / "w.json").read_text(encoding="utf-8"))
        assert found == {key: value.tolist() for key, value in run.weights.items()}


def test_weights_and_history_of_a_run_file(xor, tmp_path):
    graph = tmp_path / "xor.json"
    nf.save(xor, graph)
    with pytest.raises(ExportError, match="no run file"):
        export(xor, tmp_path / "w.json", file=graph, trained=True)
    run = nf.Run(xor)
    run.train(2)
    save_run(tmp_path / "xor.run.npz", run.weights, run.history, {})
    export(xor, tmp_path / "w.json", file=graph, trained=True)
    held = load_run(tmp_path / "xor.run.npz")
    found = json.loads((tmp_path / "w.json").read_text(encoding="utf-8"))
    assert found == {key: value.tolist() for key, value in held.weights.items()}
    assert export(xor, tmp_path / "h.csv", file=graph).facts["epochs"] == 2
    assert export(xor, tmp_path / "h.csv", file=graph, epochs=4).facts["epochs"] == 4
    with pytest.raises(ExportError, match="--trained or --epochs"):
        export(xor, tmp_path / "w.json", file=graph, trained=True, epochs=1)
    with pytest.raises(FileError, match="belongs to another graph"):
        export(nf.load(GRAPHS / "one-neuron.json"), tmp_path / "w.json", file=graph, trained=True)


def test_the_history_is_a_table_with_a_line_an_epoch(tmp_path):
    graph = nf.load(GRAPHS / "circle.json")
    export(graph, tmp_path / "h.csv", epochs=3)
    text = (tmp_path / "h.csv").read_bytes().decode()
    assert text.endswith("\r\n")
    assert text.count("\r\n") == text.count("\n") == 4
    rows = list(csv.DictReader(io.StringIO(text)))
    run = nf.Run(graph)
    told = [{k: None if v == "" else float(v) for k, v in row.items()} for row in rows]
    assert told == run.train(3)
    with pytest.raises(ExportError, match="no history"):
        export(graph, tmp_path / "h.csv", epochs=0)


def parsed(graph, folder):
    export(graph, folder / "x.dot")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydot calls its parser by old names
        return pydot.graph_from_dot_data((folder / "x.dot").read_text(encoding="utf-8"))[0]


@pytest.mark.parametrize("name", ["xor", "nielsen-unfolded", "four-layers"])
def test_graphviz_gets_every_node_wire_and_group(name, tmp_path):
    graph = nf.load(GRAPHS / f"{name}.json")
    found = parsed(graph, tmp_path)

    def of(level):
        inner = [key for cluster in level.get_subgraphs() for key in of(cluster)]
        return [*(node.get_name().strip('"') for node in level.get_nodes()), *inner]

    assert set(of(found)) - {"node", "edge", "graph"} == set(graph.nodes)
    wires = [
        (e.get_source(), e.get("tailport"), e.get_destination(), e.get("style"), e.get("headport"))
        for e in found.get_edges()
    ]
    assert len(found.get_edges()) == len(graph.wires)
    for wire in graph.wires:
        dashed = "dashed" if graph.feeds_back(wire) else None
        ends = (f'"{wire.source}"', f'"{wire.output}"', f'"{wire.target}"', dashed)
        assert [w for w in wires if w[:4] == ends and w[4].startswith(f'"{wire.input}')]
    clusters = {cluster.get_name().strip('"') for cluster in found.get_subgraphs()}
    assert clusters == {f"cluster_{key}" for key in graph.groups}


def test_every_port_that_a_wire_names_is_in_graphviz_tables(tmp_path):
    graph = nf.load(GRAPHS / "mazur-neurons-unfolded.json")
    found = parsed(graph, tmp_path)
    ports = {
        (node.get_name(), cell.get("port"))
        for node in found.get_nodes()
        if node.get("label")
        for cell in ET.fromstring(node.get("label")[1:-1]).iter("td")
    }
    for edge in found.get_edges():
        assert (edge.get_source(), edge.get("tailport").strip('"')) in ports
        assert (edge.get_destination(), edge.get("headport").strip('"')) in ports


@pytest.mark.parametrize("name", ["mazur-neurons-unfolded", "four-layers"])
def test_networkx_reads_the_nodes_and_wires_of_a_dot_file(name, tmp_path):
    graph = nf.load(GRAPHS / f"{name}.json").add("alone", "constant", value=1.0)
    graph = replace(graph, groups={**graph.groups, "alone": {"title": "1", "nodes": ["alone"]}})
    found = nx.nx_pydot.from_pydot(parsed(graph, tmp_path))
    labels = {key.strip('"'): label for key, label in found.nodes(data="label")}
    assert set(labels) == set(graph.nodes)
    assert all(f"<b>{key}</b>" in str(label) for key, label in labels.items())
    assert found.number_of_edges() == len(graph.wires)


def test_names_cannot_break_out_of_graphviz(tmp_path):
    graph = nf.Graph(name='a "b" \\ <c> & {d}').add("x", "constant", value=1.0)
    group = {"g": {"title": '"];\nevil [', "nodes": ["x"]}}
    found = parsed(replace(graph, groups=group), tmp_path)
    assert [c.get_name() for c in found.get_subgraphs()] == ['"cluster_g"']
    assert "evil" not in [node.get_name() for node in found.get_subgraphs()[0].get_nodes()]


# --- whatever the format -------------------------------------------------------------------------


def test_an_unknown_ending_names_the_known_ones(xor, tmp_path):
    for name in ("x.tiff", "x", "x.png.bak"):
        with pytest.raises(ExportError) as caught:
            export(xor, tmp_path / name)
        assert all(ending in str(caught.value) for ending in FORMATS)
    assert not list(tmp_path.iterdir())


def test_options_are_those_of_the_format(xor, tmp_path):
    with pytest.raises(ExportError, match=r"'scale' says nothing about \.gif"):
        export(xor, tmp_path / "x.gif", scale=2)
    with pytest.raises(ExportError, match="no option 'colour'"):
        export(xor, tmp_path / "x.svg", colour="red")
    assert {name for kind in FORMATS.values() for name in kind.takes} == set(
        Options.__dataclass_fields__
    )


def test_options_are_checked(xor, tmp_path):
    for name, options, words in (
        ("x.svg", {"theme": "pink"}, "dark or light, not 'pink'"),
        ("x.gif", {"speed": 0}, "0.1 to 50"),
        ("x.png", {"scale": 0}, "above 0"),
        ("x.gif", {"level": "year"}, "no level 'year'"),
        ("x.gif", {"begin": "soon"}, "'soon' is not EPOCH"),
    ):
        with pytest.raises(nf.NodeflowError, match=words):
            export(xor, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_the_graph_itself_is_not_replaced(xor, tmp_path):
    for name in ("xor.json", "other.json"):
        nf.save(xor, tmp_path / name)
        before = (tmp_path / name).read_bytes()
        with pytest.raises(ExportError, match="own file"):
            export(xor, tmp_path / name, file=tmp_path / "xor.json")
        assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("name", ["x.gif", "x.csv", "x.mp4", "x.html"])
def test_a_cancelled_export_leaves_what_was_there(xor, name, tmp_path):
    (tmp_path / name).write_bytes(b"old")

    def cancel(done, total):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        export(xor, tmp_path / name, progress=cancel)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"


@contextlib.contextmanager
def no_room(size):
    """Let files grow to `size` bytes only, as on a disk that is full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["x.svg", "x.png", "x.csv", "x.gif"])
def test_a_disk_that_fills_leaves_no_half_file(xor, name, tmp_path):
    options = {"level": "epoch"} if name == "x.gif" else {}
    for old in (None, b"old"):
        if old is not None:
            (tmp_path / name).write_bytes(old)
        with pytest.raises(FileError, match=r"cannot be saved: file too large"), no_room(2000):
            export(xor, tmp_path / name, **options)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([old] if old else [])


def test_a_folder_is_asked_for_before_the_work(xor, tmp_path):
    told = []
    with pytest.raises(FileError, match="there is no folder"):
        export(xor, tmp_path / "no" / "x.csv", progress=lambda *at: told.append(at))
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(FileError, match="this is a folder"):
        export(xor, tmp_path / "x.csv", progress=lambda *at: told.append(at))
    assert not told
