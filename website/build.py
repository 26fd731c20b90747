"""Writes what Sphinx reads, runs it, and checks every link in what comes out."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nodeflow as nf
from nodeflow.declare import CATALOG
from nodeflow.export.svg import svg
from nodeflow.lessons import require_lesson
from nodeflow.scene import scene
from nodeflow.theme import DARK, LIGHT
from website import live, reference
from website.links import broken, judged
from website.shades import darkened

ROOT = Path(__file__).parent.parent
_COPIED = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE")
_DOCUMENTS = {
    "Begin": ("how-to", "data", "commands", "slow-motion", "lessons-live"),
    "See": ("gallery", "live-graphs", "page", "export", "by-hand"),
    "Look up": ("types/index", "python", "interchange", "twins", "numbers", "reliability"),
    "Build": ("architecture", "scale", "benchmarks", "lessons"),
}
"""The contents, in the order in which they are listed."""
_FIRST = ("load", "save", "Graph", "Run")
"""What is used first; the other names of Python follow in their order."""


def build(folder: Path, *, only: str | None = None) -> list[str]:
    """Build the site below a folder; return what is wrong with it.

    `only` leaves out all live pages whose names do not begin so: for a quick look.
    """
    out = folder / "html"
    done = _sphinx(folder, "html", "-W", "--keep-going")
    if done.returncode:
        return done.stderr.splitlines()
    live.write(out / "live", only or "")
    return broken(out, left_out="live/" if only is not None else "")


def _sphinx(folder: Path, builder: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Write all that Sphinx reads below a folder, and let it make something of that."""
    source, out = folder / "source", folder / builder
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(out, ignore_errors=True)
    write(source)
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, *options,
               "-d", str(folder / "doctrees"), str(source), str(out)]  # fmt: skip
    return subprocess.run(command, check=False, capture_output=True, text=True)


def links(folder: Path) -> tuple[list[str], list[str]]:
    """Follow the links out of the site; return those that were checked, and what is wrong.

    Raises `Offline` where not one of them could be reached for want of a network.
    """
    done = _sphinx(folder, "linkcheck")
    report = folder / "linkcheck" / "output.json"
    if not report.exists():
        return [], done.stderr.splitlines()
    return judged([json.loads(line) for line in report.read_text("utf-8").splitlines()])


def write(source: Path) -> None:
    """Write all that Sphinx reads."""
    shutil.copytree(ROOT / "docs", source)
    for name in ("graphs", "examples"):
        shutil.copytree(ROOT / name, source.parent / name, dirs_exist_ok=True)
    for name in _COPIED:
        shutil.copy(ROOT / name, source / name)
    shutil.copy(ROOT / "website" / "conf.py", source / "conf.py")
    shutil.copytree(ROOT / "website" / "static", source / "_static")
    (source / "index.md").write_text(_index(), encoding="utf-8")
    for path in source.glob("*.md"):
        text = _shaded(_moved(path.read_text("utf-8"), path), source)
        path.write_text(text, encoding="utf-8")
    (source / "python.md").write_text(_python(), encoding="utf-8")
    (source / "lessons-live.md").write_text(_lessons(source / "lessons-live"), encoding="utf-8")
    (source / "live-graphs.md").write_text(_graphs(source / "_static"), encoding="utf-8")
    types = source / "types"
    types.mkdir()
    (types / "index.md").write_text(reference.index(), encoding="utf-8")
    for name in CATALOG:
        (types / f"{name}.md").write_text(reference.page(CATALOG[name]), encoding="utf-8")


def _moved(text: str, path: Path) -> str:
    """Return a document of the repository with the links that it has in the site."""
    if path.name in _COPIED:
        text = text.replace("](docs/", "](")
    for name in _COPIED:
        text = text.replace(f"](../{name}", f"]({name}")
    text = re.sub(r"\[([^]]*)\]\(\.\./graphs/([\w./-]+)\.json\)", _live, text)
    # What the site does not have is named, and does not lead anywhere.
    return re.sub(
        r"\[([^]]*)\]\((?:\.\./)?(?:(?:examples|findings)/[\w./-]+|README\.md)\)", r"\1", text
    )


def _shaded(text: str, source: Path) -> str:
    """Return a document with its pictures for a light and for a dark site.

    Drawings of graphs come in both; other pictures lie on paper of their own.
    """

    def pictured(found: re.Match[str]) -> str:
        path = source / found[2]
        dark = darkened(path.read_text("utf-8")) if path.suffix == ".svg" else None
        if dark is None:
            return f"{found[0]}{{.{'screen' if path.parent == source else 'paper'}}}"
        name = f"{path.stem}-dark.svg"
        (path.parent / name).write_text(dark, encoding="utf-8")
        other = found[2].replace(path.name, name)
        return f"{found[0]}{{.drawing .only-light}}![{found[1]}]({other}){{.drawing .only-dark}}"

    return re.sub(r"!\[([^]]*)\]\(([\w./-]+)\)", pictured, text)


def _live(found: re.Match[str]) -> str:
    """Return the link to the page of a graph, in place of that to its file."""
    label, name = found[1], found[2]
    if name.startswith("twins/"):
        return label
    label = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(label))
    return f'<a href="live/{_page_of(name)}.html">{label}</a>'


def _page_of(sample: str) -> str:
    return sample.replace("lessons/", "lesson-")


def _index() -> str:
    """Return the first page: what the README says of what nodeflow is, and the contents."""
    readme = (ROOT / "README.md").read_text("utf-8")
    begin, end = readme.index("A visual dataflow"), readme.index("## Install")
    lines = ["# nodeflow", "", readme[begin:end].replace("](docs/", "]("), "## At once", ""]
    lines += _frame("xor", "A network that learns exclusive or: step it, train it, change it")
    lines += ["More: [all graphs](live-graphs.md), [the lessons](lessons-live.md).", ""]
    listed = {name for names in _DOCUMENTS.values() for name in names}
    others = sorted({path.stem for path in (ROOT / "docs").glob("*.md")} - listed)
    for caption, names in {**_DOCUMENTS, "More": others}.items():
        lines += ["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""]
    lines += ["```{toctree}", ":hidden:", "", "CONTRIBUTING", "CHANGELOG", "```", ""]
    return "\n".join(lines).replace(
        "[the lessons](lessons-live.md), ", "[the lessons](lessons-live.md)."
    )


def _frame(page: str, title: str, kind: str = "live", up: str = "") -> list[str]:
    return [
        "```{raw} html",
        f'<iframe class="{kind}" loading="lazy" src="{up}live/{page}.html" title="{escape(title)}">'
        "</iframe>",
        f'<p><a href="{up}live/{page}.html">Open it on its own</a></p>',
        "```", "",
    ]  # fmt: skip


def _lessons(folder: Path) -> str:
    """Write a page for each lesson, and return the one that lists them."""
    folder.mkdir()
    names = [name for name in sorted(nf.examples.samples()) if name.startswith("lessons/")]
    lines = [
        "# Lessons to do here", "",
        "Each is a page that computes: do the tasks, save the answer, hand it in. `nodeflow lesson "
        "check` marks the files of a class; [how lessons are made](lessons.md).", "",
        "| lesson | tasks | |", "| --- | --- | --- |",
    ]  # fmt: skip
    for name in names:
        graph, short = nf.sample(name), name.removeprefix("lessons/")
        tasks = len(require_lesson(graph).tasks)
        lines.append(f"| [{graph.name}](lessons-live/{short}.md) | {tasks} | {graph.about} |")
        page = [f"# {graph.name}", "", graph.about, ""]
        page += _frame(f"lesson-{short}", graph.name, "live lesson", "../")
        page += [
            f"In the terminal: `nodeflow samples {name}`, then `nodeflow lesson {short}.json`.",
            "",
        ]
        (folder / f"{short}.md").write_text("\n".join(page), encoding="utf-8")
    shorts = [f"lessons-live/{name.removeprefix('lessons/')}" for name in names]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *shorts, "```", ""])


def _graphs(static: Path) -> str:
    """Return the page with all graphs that come with nodeflow, each drawn, leading to its page."""
    lines = [
        "# Graphs to open here",
        "",
        "Each opens as a page that computes. `nodeflow samples NAME` writes its file.",
        "",
        "```{raw} html",
        '<div class="cards">',
    ]
    (static / "graphs").mkdir()
    for name, sample in nf.examples.samples().items():
        if name.startswith(("twins/", "lessons/")):
            continue
        shown = scene(nf.sample(name))
        pictures = ""
        for theme in (LIGHT, DARK):
            file = f"{name}-{theme.name}.svg"
            (static / "graphs" / file).write_text(svg(shown, theme), encoding="utf-8")
            pictures += (
                f'<img class="only-{theme.name}" loading="lazy" alt="" src="_static/graphs/{file}">'
            )
        about = escape(_sentence(sample.about))
        lines.append(
            f'<a href="live/{name}.html">{pictures}<b>{escape(name)}</b><span>{about}</span></a>'
        )
    return "\n".join([*lines, "</div>", "```", ""])


def _sentence(text: str) -> str:
    """Return the first sentence; a point after a name's first letter ends none."""
    return re.split(r"(?<=[a-zA-Z\d)]{3})[.:] ", text, maxsplit=1)[0].rstrip(".")


def _python() -> str:
    """Return the page of Python's names, for autodoc to fill."""
    lines = ["# Python", "", "```python", "import nodeflow as nf", "```", "",
             "Every [node type](types/index.md) is a function of the package as well: on wires it "
             "builds a node, on arrays it computes.", ""]  # fmt: skip
    names = [name for name in nf.__all__ if not name.startswith("_") and name not in _FIRST]
    for name in (*_FIRST, *sorted(names, key=lambda each: (each[:1].islower(), each.lower()))):
        made = getattr(nf, name)
        kind = "class" if inspect.isclass(made) else "function"
        members = _members(made) if kind == "class" else []
        lines += [f"## {name}", "", "```{eval-rst}", f".. auto{kind}:: nodeflow.{name}"]
        if members:
            lines.append(f"   :members: {', '.join(members)}")
        lines += ["```", ""]
    return "\n".join(lines)


def _members(kind: type) -> list[str]:
    return [name for name, member in vars(kind).items()
            if not name.startswith("_") and (callable(member) or isinstance(
                member, property | classmethod | staticmethod))]  # fmt: skip


def sentences(found: list[str]) -> Iterator[str]:
    """Yield what is wrong, the first of many."""
    yield from found[:40]
    if len(found) > 40:
        yield f"… and {len(found) - 40} more"
