"""The page of the gallery: written from what was measured, and read again to be compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gallery.exhibit import GRAPHS, Exhibit, Number, Picture, load
from nodeflow.export import Job, Options
from nodeflow.export.svg import drawing, svg
from nodeflow.scene import scene

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "gallery.md"
FOLDER = DOCS / "gallery"

_HEAD = """\
# Gallery

The systems that the literature explains backpropagation with, each as a graph file in `graphs/`.
Open one, play it, unfold it, take it apart, break it. Every number on this page was measured by
`python -m gallery --write`, and a test measures it again; where the source prints a number, it
stands beside.
"""
_ROW = re.compile(r"\| (?P<what>.+?) \| (?P<value>.+?) \|(?: (?P<published>.*?) ?\|)?")


def markdown(exhibits: Sequence[Exhibit]) -> str:
    """Return the whole page."""
    contents = "\n".join(f"- [{one.title}](#{_anchor(one.title)})" for one in exhibits)
    shown = {name for one in exhibits for name in one.graphs}
    return "\n".join([_HEAD, contents, "", *map(_section, exhibits), _others(shown)])


def with_section(page: str, exhibit: Exhibit) -> str:
    """Return a page with one exhibit written anew; one that it does not have yet is refused."""
    start = page.find(f"\n## {exhibit.title}\n") + 1
    if not start:
        raise ValueError(f"the page has no section '{exhibit.title}': write the whole gallery")
    end = page.index("\n## ", start) + 1
    return f"{page[:start]}{_section(exhibit)}\n{page[end:]}"


def draw(exhibit: Exhibit, folder: Path = FOLDER) -> None:
    """Write the pictures of an exhibit."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in exhibit.pictures:
        path = folder / file_name(picture)
        if picture.graph is not None and picture.epochs is not None:
            text, _ = drawing(Job(picture.graph, None, Options("light", epochs=picture.epochs)))
            path.write_text(text, encoding="utf-8")
        elif picture.graph is not None:
            path.write_text(svg(scene(picture.graph)), encoding="utf-8")
        elif picture.draw is not None:
            picture.draw(path)


def file_name(picture: Picture) -> str:
    """Return a picture's file: as it is named, an SVG without an ending."""
    return picture.name if Path(picture.name).suffix else f"{picture.name}.svg"


def numbers_of(page: str, title: str) -> dict[str, str]:
    """Return the measured numbers that a page has under a title."""
    _, _, rest = page.partition(f"\n## {title}\n")
    section = rest.partition("\n## ")[0]
    rows = (match for line in section.splitlines() if (match := _ROW.fullmatch(line)))
    found = {match["what"]: match["value"] for match in rows}
    return {what: value for what, value in found.items() if what != "what" and "---" not in what}


def agrees(number: Number, text: str) -> bool:
    """Return whether a number, measured again, is the one that is printed."""
    if number.text == text:
        return True
    printed = re.sub(r"[^0-9.eE+-]", "", text.replace("−", "-"))
    measured = re.sub(r"[^0-9.eE+-]", "", number.text.replace("−", "-"))
    return abs(float(printed) - float(measured)) <= number.within


def _others(shown: set[str]) -> str:
    """List the graphs that no exhibit shows, in their own words."""
    names = [path.stem for path in sorted(GRAPHS.glob("*.json")) if path.stem not in shown]
    lines = [f"- [`{name}`](../graphs/{name}.json): {load(name).about}" for name in names]
    return "\n".join(["## Other graphs", "", *lines, ""]) if names else ""


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _section(exhibit: Exhibit) -> str:
    graphs = ", ".join(f"[`{name}`](../graphs/{name}.json)" for name in exhibit.graphs)
    lines = [f"## {exhibit.title}", "", exhibit.about, "", f"Graphs: {graphs}", ""]
    for picture in exhibit.pictures:
        link = f"![{picture.caption}](gallery/{file_name(picture)})"
        lines += [link, "", f"*{picture.caption}*", ""]
    published = any(number.published for number in exhibit.numbers)
    lines += ["| what | measured | published |" if published else "| what | measured |"]
    lines += ["| --- | --- | --- |" if published else "| --- | --- |"]
    lines += [_line(number, published=published) for number in exhibit.numbers]
    lines += ["", "What to look for:", "", *(f"- {sentence}" for sentence in exhibit.look), ""]
    return "\n".join([*lines, "```", *exhibit.commands, "```", ""])


def _line(number: Number, *, published: bool) -> str:
    row = f"| {number.what} | {number.text} |"
    return f"{row} {number.published} |" if published else row
