"""IDX files, the form of MNIST, plain or gzipped."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nodeflow.data.reading import MOST_BYTES, check_size, reading
from nodeflow.data.table import FloatArray, Table, classify, feature_names, frozen, one_hot
from nodeflow.errors import DataError

TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 8
_CHUNK = 2**20
_GZIP = b"\x1f\x8b"


def find_idx(folder: Path, name: str) -> Path | None:
    """Return the file of that name in the folder, None if there is none.

    It may be plain or gzipped, be spelled with a dot (train-images.idx3-ubyte), and lie in a
    folder of its own name, as archives unpack it.
    """
    stem = name.removesuffix(".gz")
    dotted = re.sub(r"[-.](idx\d)", r".\1", stem)
    dashed = re.sub(r"[-.](idx\d)", r"-\1", stem)
    for one in dict.fromkeys((name, stem, dashed, dotted)):
        for candidate in (folder / one, folder / f"{one}.gz", folder / one / one):
            if candidate.is_file():
                return candidate
    return None


def labels_of(images: Path) -> Path:
    """Return the labels file that belongs to an images file; DataError if there is none."""
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    if "images" not in images.name:
        msg = "name the file of the images (…images-idx3…); its labels are found beside it"
        raise DataError(msg, file=images.name)
    labels = find_idx(images.parent, name)
    if labels is None and images.parent.name == images.name:
        labels = find_idx(images.parent.parent, name)
    if labels is None:
        msg = f"the labels are missing; put {name.removesuffix('.gz')} beside it"
        raise DataError(msg, file=images.name)
    return labels


def idx_files(source: Path) -> list[Path]:
    """Return the files of a set: images and labels, then those for testing if there are any.

    `source` is an images file, or a folder with files of MNIST's names. An empty list: the
    folder is not a data set. Raises DataError if only labels are missing.
    """
    if not source.is_dir():
        return [source, labels_of(source)]
    train, test = find_idx(source, TRAIN), find_idx(source, TEST)
    if train is None:
        return []
    files = [train, labels_of(train)]
    if test is not None:
        files += [test, labels_of(test)]
    return files


def read_idx(files: list[Path]) -> Table:
    """Return the table of an images and a labels file, and of a second pair for testing.

    x is (images, pixels), float32; bytes become 0..1, other numbers stay as they are.
    y is one-hot (images, classes), float64. Raises DataError.
    """
    x, features = _images(files[0])
    labels = _labels(files[1], len(x))
    y, classes = classify(labels, file=files[1].name)
    if len(files) == 2:
        return Table(frozen(x), frozen(y), features, classes)
    x_test, _ = _images(files[2])
    if x_test.shape[1] != x.shape[1]:
        msg = f"an image has {x_test.shape[1]} pixels, but {x.shape[1]} in {files[0].name}"
        raise DataError(msg, file=files[2].name)
    test_labels = _labels(files[3], len(x_test))
    unknown = set(test_labels) - set(labels)
    if unknown:
        msg = f"the label {min(unknown)} is not one of those in {files[1].name}"
        raise DataError(msg, file=files[3].name)
    y_test = one_hot(test_labels, sorted(set(labels)))
    return Table(frozen(x), frozen(y), features, classes, frozen(x_test), frozen(y_test))


def _images(path: Path) -> tuple[FloatArray, tuple[str, ...]]:
    values = _array(path)
    shape = values.shape
    if len(shape) < 2:
        msg = "this is a list of single numbers, as labels are; images have two dimensions or more"
        raise DataError(msg, file=path.name)
    rows = values.reshape(shape[0], -1)
    if values.dtype == np.uint8:
        x = np.divide(rows, np.float32(255), dtype=np.float32)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            x = rows.astype(np.float32)
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            msg = f"pixel {bad[0, 1] + 1} of image {bad[0, 0] + 1} is not a finite number"
            raise DataError(msg, file=path.name)
    if len(shape) == 3:
        # Rows and columns from 0, as in an array.
        names = tuple(f"pixel {r},{c}" for r in range(shape[1]) for c in range(shape[2]))
    else:
        names = feature_names(x.shape[1])
    return x, names


def _labels(path: Path, count: int) -> list[int]:
    values = _array(path)
    if values.ndim != 1 or values.dtype.kind == "f":
        raise DataError("labels must be one whole number an image", file=path.name)
    if len(values) != count:
        msg = f"there are {len(values)} labels for {count} images; the files do not belong together"
        raise DataError(msg, file=path.name)
    return cast("list[int]", values.tolist())


def _array(path: Path) -> NDArray[np.generic]:
    check_size(path)
    with reading(path), path.open("rb") as stream:
        # A browser may unpack a file and leave its name.
        packed = stream.read(2) == _GZIP
        stream.seek(0)
        if not packed and not path.name.endswith(".gz"):
            return _parse(stream, path.name)
        if not packed and stream.read(2) == b"\0\0":
            stream.seek(0)
            return _parse(stream, path.name)
        stream.seek(0)
        try:
            with gzip.open(stream) as unpacked:
                return _parse(cast("BinaryIO", unpacked), path.name)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            msg = "the gzip file is damaged; fetch it again"
            raise DataError(msg, file=path.name) from error


def _parse(stream: BinaryIO, file: str) -> NDArray[np.generic]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        msg = "this is not an IDX file; it must begin with the bytes 0, 0, a type and a dimension"
        raise DataError(msg, file=file)
    dimensions = magic[3]
    sizes = stream.read(4 * dimensions)
    if dimensions > _MOST_DIMENSIONS or len(sizes) < 4 * dimensions:
        raise DataError("the header of the IDX file is cut short; fetch it again", file=file)
    shape = struct.unpack(f">{dimensions}I", sizes)
    dtype = np.dtype(_TYPES[magic[2]])
    expected = prod(shape) * dtype.itemsize
    if expected == 0:
        raise DataError("the header says that there are no numbers in the file", file=file)
    if expected > MOST_BYTES:
        msg = f"the header says {' × '.join(map(str, shape))} numbers; at most 2 GiB can be read"
        raise DataError(msg, file=file)
    # Read in pieces: the header may promise far more than there is.
    data = bytearray()
    while len(data) <= expected and (piece := stream.read(_CHUNK)):
        data += piece
    if len(data) != expected:
        more = "more" if len(data) > expected else f"only {len(data)}"
        msg = f"the header says {expected} bytes, but there are {more}; fetch the file again"
        raise DataError(msg, file=file)
    return np.frombuffer(data, dtype=dtype).reshape(shape)
