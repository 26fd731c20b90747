"""Every link of a built site leads somewhere: to a file, and to the place in it that it names.

Links that lead out of it are followed by Sphinx (`make links`); here its findings are judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ELSEWHERE = ("http", "https", "mailto", "data", "javascript")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.places.add(value)
            if value and (name == "src" or (name == "href" and tag in ("a", "link"))):
                self.links.append(value)


@cache
def _read(path: Path) -> _Reader:
    found = _Reader()
    found.feed(path.read_text("utf-8"))
    return found


def broken(site: Path, left_out: str = "") -> list[str]:
    """Return a sentence for each link below a folder that leads nowhere, and for what is fetched.

    Links to a folder `left_out` are not followed.
    """
    _read.cache_clear()
    site, found = site.resolve(), []
    for path in sorted(site.rglob("*.html")):
        if "live" in path.relative_to(site).parts:
            continue  # a page that computes has no links
        for link in _read(path).links:
            why = _why_broken(site, path, link, left_out)
            if why:
                found.append(f"{path.relative_to(site)}: {link} {why}")
    return found


def _why_broken(site: Path, path: Path, link: str, left_out: str) -> str:
    parts = urlsplit(link)
    if parts.scheme in ELSEWHERE or link.startswith("//"):
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(site):
        return "leads out of the site"
    if left_out and target.relative_to(site).as_posix().startswith(left_out):
        return ""
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "leads nowhere"
    place = unquote(parts.fragment)
    if place and target.suffix == ".html" and place not in _read(target).places:
        return f"names a place '{place}' that is not there"
    return ""


class Offline(Exception):
    """No link could be followed, since there is no network."""


_UNREACHED = ("NameResolutionError", "Failed to establish", "Network is unreachable", "ProxyError",
              "Temporary failure in name resolution", "Connection refused")  # fmt: skip


def judged(found: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the addresses that were followed, and a sentence for each that leads nowhere.

    `found` is what Sphinx's `linkcheck` writes. Raises `Offline` where none could be reached.
    """
    asked = [each for each in found if each["status"] not in ("local", "unchecked", "ignored")]
    asked = [each for each in asked if str(each["uri"]).startswith("http")]
    wrong = [each for each in asked if each["status"] in ("broken", "timeout")]
    unreached = [each for each in wrong if any(why in each["info"] for why in _UNREACHED)]
    if asked and len(unreached) == len(asked):
        count = len({each["uri"] for each in asked})
        raise Offline(f"there is no network here: none of the {count} links could be followed")
    sentences = [
        f"{each['filename']}, line {each['lineno']}: {each['uri']} leads nowhere ({each['info']})"
        for each in wrong
    ]
    return sorted({str(each["uri"]) for each in asked}), sentences
