"""The command: `python -m benchmarks [NAME…] [--quick] [--json FILE] [--write-docs]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import NAMES
from benchmarks.harness import Result, engine, machine, markdown, put, summary, table
from nodeflow.errors import DataError

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def write_docs(results: Sequence[Result], path: Path, about: str) -> None:
    """Put the figures between the two marks of a document."""
    parts = [f"Measured with {about}.", summary(results), *map(markdown, results)]
    put(path, "\n\n".join(parts))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks; 1 where contestants disagree on the numbers, otherwise 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: do they work at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--write-docs", action="store_true", help="put figures into the document")
    parser.add_argument("--threads", type=int, default=1, help="threads for everybody (1)")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there are {', '.join(NAMES)}")
    if options.write_docs and (options.quick or options.names):
        parser.error("--write-docs takes the whole run: neither names nor --quick")
    # The libraries read these when they are first imported, which is below.
    os.environ.update(dict.fromkeys(_POOLS, str(options.threads)))
    before = engine()
    about = f"{machine()}; nodeflow's source {before}"
    print(about, end="\n\n", flush=True)
    results = []
    for name in options.names or NAMES:
        try:
            result: Result = importlib.import_module(f"benchmarks.{name}").run(quick=options.quick)
        except DataError as error:  # data that must be fetched is no fault of a contestant
            if options.write_docs:
                parser.error(f"--write-docs takes all parts, and {name} lacks its data: {error}")
            result = Result(name, "not measured", notes=[f"skipped: {error}"])
        results.append(result)
        print(table(result), end="\n\n", flush=True)
    if engine() != before:
        about += " (CHANGED DURING THE RUN: these figures mix versions)"
        print("nodeflow's source changed during the run: the figures mix versions")
    if options.json:
        data = {"machine": about, "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    if options.write_docs:
        write_docs(results, DOCS, about)
    wrong = [sentence for result in results for sentence in result.disagreements]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
