"""The gallery: its page has the numbers that are measured here again, its pictures are there."""

import importlib
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from networks import HAS_DATA

from gallery import NAMES
from gallery.exhibit import GRAPHS, Number
from gallery.page import FOLDER, PAGE, agrees, draw, file_name, numbers_of, with_section
from nodeflow.cli import app

FETCHED = {"wheat", "digits_by_cg", "nielsen"}


def measured(name):
    if name in FETCHED and not HAS_DATA:
        pytest.skip("NODEFLOW_DATA is not set")
    return importlib.import_module(f"gallery.{name}").exhibit()


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_the_texts_and_the_numbers(name, tmp_path):
    exhibit = measured(name)
    text = PAGE.read_text(encoding="utf-8")
    said = (exhibit.title, exhibit.about, *exhibit.commands, *(p.caption for p in exhibit.pictures))
    assert [one for one in said if one not in text] == []
    page = numbers_of(text, exhibit.title)
    assert page.keys() == {number.what for number in exhibit.numbers}
    wrong = [n for n in exhibit.numbers if not agrees(n, page[n.what])]
    assert not wrong, [(n.what, n.text, page[n.what]) for n in wrong]
    for graph in exhibit.graphs:
        assert (GRAPHS / f"{graph}.json").is_file(), graph
    draw(exhibit, tmp_path)
    for picture in exhibit.pictures:
        assert (tmp_path / file_name(picture)).stat().st_size > 500
        assert (FOLDER / file_name(picture)).is_file(), file_name(picture)
        if file_name(picture).endswith(".svg"):
            ET.parse(tmp_path / file_name(picture))


def test_every_graph_file_is_shown():
    page = PAGE.read_text(encoding="utf-8")
    names = sorted(path.stem for path in GRAPHS.glob("*.json"))
    assert not [name for name in names if f"graphs/{name}.json" not in page]


WHOLE = PAGE.read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^nodeflow (.+)$", WHOLE, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one_that_can_be_given(line):
    """Its words are read as the command line reads them; its files are there or were made above."""
    name, *words = shlex.split(line)
    command = app.get_command(None, name)
    context = command.make_context(name, list(words))
    for word in words:
        if word.startswith("graphs/"):
            assert (GRAPHS.parent / word).is_file(), word
    for parameter, value in context.params.items():
        if parameter == "data":  # a file is looked for among the data, not beside the graph
            assert "/" not in value
        if parameter == "file" and not value.startswith("graphs/"):
            assert f"nodeflow new {value}" in WHOLE


def test_every_picture_is_shown():
    page = PAGE.read_text(encoding="utf-8")
    assert not [p.name for p in Path(FOLDER).iterdir() if f"gallery/{p.name}" not in page]


def test_one_section_is_written_anew():
    from dataclasses import replace

    page, exhibit = PAGE.read_text(encoding="utf-8"), measured("slopes")
    other = replace(exhibit, about="Nothing else was written.")
    made = with_section(page, other)
    assert numbers_of(made, exhibit.title).keys() == {number.what for number in exhibit.numbers}
    assert made.count("\n## ") == page.count("\n## ")
    start, end = page.index(f"## {exhibit.title}\n"), page.index("## Mazur")
    assert made.startswith(page[:start])
    assert made.endswith(page[end:])
    assert other.about in made
    with pytest.raises(ValueError, match="no section 'Another'"):
        with_section(page, replace(exhibit, title="Another"))


def test_a_wrong_number_is_seen():
    number = Number("cost", 0.25, "{:.3f}", within=0.01)
    assert agrees(number, "0.250")
    assert agrees(number, "0.255")
    assert not agrees(number, "0.270")
    assert not agrees(Number("cost", 0.25, "{:.3f}"), "0.251")
    assert agrees(Number("slope", -2.1, "{:.1f}"), "−2.1")
