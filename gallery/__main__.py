"""The command: `python -m gallery [NAME…] [--write]`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from gallery import NAMES
from gallery.exhibit import Exhibit
from gallery.page import PAGE, draw, markdown, with_section


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure exhibits and print their numbers; with --write make their part of the page too."""
    parser = argparse.ArgumentParser(prog="python -m gallery", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/gallery.md and pictures; with names only their sections",
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no exhibit '{unknown[0]}'; there are {', '.join(NAMES)}")
    exhibits = []
    for name in options.names or NAMES:
        start = time.perf_counter()
        exhibit: Exhibit = importlib.import_module(f"gallery.{name}").exhibit()
        exhibits.append(exhibit)
        print(f"{exhibit.title} ({time.perf_counter() - start:.1f} s)")
        for number in exhibit.numbers:
            published = f"   (published: {number.published})" if number.published else ""
            print(f"  {number.what}: {number.text}{published}")
    if options.write:
        page = markdown(exhibits)
        if options.names:
            page = PAGE.read_text(encoding="utf-8")
            for exhibit in exhibits:
                page = with_section(page, exhibit)
        PAGE.write_text(page, encoding="utf-8")
        for exhibit in exhibits:
            draw(exhibit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
