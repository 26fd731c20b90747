"""The command: `python -m website [FOLDER]`, which `make docs` and `make links` run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from website.build import build, links, sentences
from website.links import Offline


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site; print what is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/docs"))
    parser.add_argument("--only", metavar="PREFIX", help="live pages whose names begin so")
    parser.add_argument("--links", action="store_true", help="follow the links out of it instead")
    options = parser.parse_args(arguments)
    if options.links:
        return _follow(options.folder)
    found = build(options.folder, only=options.only)
    for sentence in sentences(found):
        print(sentence, file=sys.stderr)
    if not found:
        print(f"{options.folder / 'html' / 'index.html'}")
    return int(bool(found))


def _follow(folder: Path) -> int:
    """Follow the links out of the site; 1 where one leads nowhere, 2 without a network."""
    try:
        checked, wrong = links(folder)
    except Offline as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in sentences(wrong):
        print(sentence, file=sys.stderr)
    if not wrong:
        print(f"{len(checked)} links lead where they say")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
