"""The command: `python -m website [FOLDER]`, which `make docs` runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from website.build import build, sentences


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site; print what is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/docs"))
    parser.add_argument("--only", metavar="PREFIX", help="live pages whose names begin so")
    options = parser.parse_args(arguments)
    found = build(options.folder, only=options.only)
    for sentence in sentences(found):
        print(sentence, file=sys.stderr)
    if not found:
        print(f"{options.folder / 'html' / 'index.html'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
