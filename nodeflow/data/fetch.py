"""Public data sets, fetched once into the user's data folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nodeflow import disk
from nodeflow.data.places import FETCHABLE, user_folder
from nodeflow.errors import DataError, nearest

WHEAT_SEEDS_URLS = (
    "https://archive.ics.uci.edu/static/public/236/seeds.zip",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/00236/seeds_dataset.txt",
)
WHEAT_SEEDS_SHA256 = "8dbd1853a4439afc113cfe07f290422c7ce3fe48745d71f3f7eaa027cd38fd6e"

MNIST_URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Of the unpacked bytes: packing them again changes the packed ones.
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}

_TIMEOUT = 30.0
_CHUNK = 2**16
_MOST_BYTES = 2**26

# The checksum is of a CSV that writes these cells (row, column, from 1) with two decimals.
_TWO_DECIMALS = {(8, 6), (8, 7), (36, 2), (36, 3), (173, 7), (204, 7)}


class _Refused(Exception):
    """A place did not give what was expected; the message says why."""


def get(name: str, *, into: Path | None = None, progress: bool = True) -> Path:
    """Fetch `mnist` or `wheat-seeds`, and return its folder or its CSV file.

    `into` is the folder to put it in, by default the user's data folder, where `load` finds it.
    Files that are there already are kept if their checksum is right. `progress` draws a bar on
    standard error. Raises DataError if the set is unknown, cannot be fetched or be written.
    """
    if name not in FETCHABLE:
        raise DataError(f"there is no data set '{name}' to fetch{nearest(name, FETCHABLE)}")
    root = Path(into) if into is not None else user_folder()
    if name == "wheat-seeds":
        path = root / "wheat-seeds.csv"
        _obtain(path, WHEAT_SEEDS_URLS, _wheat_csv, progress=progress)
        return path
    for file, checksum in MNIST_SHA256.items():
        urls = tuple(url + file for url in MNIST_URLS)
        _obtain(root / "mnist" / file, urls, _unpacks_to(checksum), progress=progress)
    return root / "mnist"


def _obtain(
    path: Path, urls: tuple[str, ...], accept: Callable[[bytes], bytes], *, progress: bool
) -> None:
    """Put what the first good place gives into the file; `accept` checks and converts it."""
    if _is_good(path, accept):
        return
    reasons = []
    for url in urls:
        try:
            data = accept(_download(url, path.name, progress=progress))
        except _Refused as refused:
            reasons.append(f"{url} {refused}")
        else:
            _write(path, data)
            return
    why = "; ".join(reasons)
    msg = f"{path.name} could not be fetched ({why}); put it in {path.parent} yourself"
    raise DataError(msg)


def _is_good(path: Path, accept: Callable[[bytes], bytes]) -> bool:
    try:
        data = path.read_bytes()
        return accept(data) == data
    except (OSError, _Refused):
        return False


def _download(url: str, label: str, *, progress: bool) -> bytes:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True),
        disable=not progress,
        transient=True,
    )
    data = bytearray()
    try:
        request = Request(url, headers={"User-Agent": "nodeflow"})  # noqa: S310
        with urlopen(request, timeout=_TIMEOUT) as answer, bar:  # noqa: S310
            length = answer.headers.get("Content-Length", "")
            task = bar.add_task(label, total=int(length) if length.isdecimal() else None)
            while piece := answer.read(_CHUNK):
                data += piece
                bar.update(task, completed=len(data))
                if len(data) > _MOST_BYTES:
                    raise _Refused("sent far too much")
    except HTTPError as error:
        msg = f"answered with status {error.code}"
        raise _Refused(msg) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _Refused("could not be reached") from error
    return bytes(data)


def _unpacks_to(checksum: str) -> Callable[[bytes], bytes]:
    def accept(data: bytes) -> bytes:
        digest = hashlib.sha256()
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                while piece := stream.read(_CHUNK):
                    digest.update(piece)
        except (OSError, EOFError, zlib.error) as error:
            raise _Refused("sent a damaged file") from error
        return _checked(data, digest.hexdigest(), checksum)

    return accept


def _wheat_csv(data: bytes) -> bytes:
    """Return the CSV of the public text, whose columns are parted by one tab or by several."""
    if hashlib.sha256(data).hexdigest() == WHEAT_SEEDS_SHA256:
        return data
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read("seeds_dataset.txt")
        except Exception as error:  # A damaged archive can raise nearly anything.
            raise _Refused("sent a damaged file") from error
    lines = []
    rows = (line.split() for line in data.decode("ascii", "replace").splitlines() if line.strip())
    for row, cells in enumerate(rows, 1):
        for column, cell in enumerate(cells, 1):
            if (row, column) in _TWO_DECIMALS:
                with suppress(ValueError):
                    cells[column - 1] = f"{float(cell):.2f}"
        lines.append(",".join(cells))
    csv = "\n".join(lines).encode()
    return _checked(csv, hashlib.sha256(csv).hexdigest(), WHEAT_SEEDS_SHA256)


def _checked(data: bytes, found: str, expected: str) -> bytes:
    if found != expected:
        raise _Refused("sent a file with another checksum")
    return data


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write(path, data)
    except OSError as error:
        reason = (error.strerror or "the system refused").lower()
        msg = f"{path.name} cannot be written to {path.parent} ({reason}); choose another folder"
        raise DataError(msg) from error
