"""Data sets: IDX and NPZ files."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodeflow import data
from nodeflow.errors import DataError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FUZZ = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def idx(shape: tuple[int, ...], values: bytes, kind: int = 8) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape) + values


PIXELS = idx((3, 1, 2), bytes([0, 255, 51, 102, 204, 153]))
PACKED = gzip.compress(PIXELS, mtime=0)
CLASSES = idx((3,), bytes([4, 2, 4]))


def put(folder: Path, **files: bytes) -> Path:
    names = {"images": IMAGES, "labels": LABELS, "test": TEST_IMAGES, "test_labels": TEST_LABELS}
    for key, content in files.items():
        (folder / names[key]).write_bytes(content)
    return folder


def fault(source: Path) -> str:
    with pytest.raises(DataError) as caught:
        data.load(str(source))
    return str(caught.value)


# IDX


@pytest.mark.parametrize("packed", [False, True])
def test_idx_pair(tmp_path, packed):
    images, labels = tmp_path / IMAGES, tmp_path / LABELS
    if packed:
        images, labels = Path(f"{images}.gz"), Path(f"{labels}.gz")
    images.write_bytes(gzip.compress(PIXELS) if packed else PIXELS)
    labels.write_bytes(gzip.compress(CLASSES) if packed else CLASSES)
    for source in (images, tmp_path):
        table = data.load(str(source))
        assert table.x.dtype == np.float32
        expected = np.array([[0, 1], [0.2, 0.4], [0.8, 0.6]], dtype=np.float32)
        assert np.array_equal(table.x, expected)
        assert table.y.tolist() == [[0, 1], [1, 0], [0, 1]]
        assert table.classes == ("2", "4")
        assert table.features == ("pixel 0,0", "pixel 0,1")
        assert table.x_test is None
        assert not table.x.flags.writeable


def test_idx_with_test_rows(tmp_path):
    put(tmp_path, images=PIXELS, labels=CLASSES)
    put(tmp_path, test=idx((1, 1, 2), b"\xff\0"), test_labels=idx((1,), b"\x04"))
    table = data.load(str(tmp_path))
    assert table.x_test.tolist() == [[1, 0]]
    assert table.y_test.tolist() == [[0, 1]]


def test_idx_numbers_stay_as_they_are(tmp_path):
    put(tmp_path, images=idx((2, 2), struct.pack(">4h", -1, 300, 2, 3), 0x0B))
    put(tmp_path, labels=idx((2,), struct.pack(">2i", 70000, -1), 0x0C))
    table = data.load(str(tmp_path))
    assert table.x.tolist() == [[-1, 300], [2, 3]]
    assert table.classes == ("-1", "70000")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"images": b"hello world"},
            (
                f"{IMAGES}: this is not an IDX file; "
                "it must begin with the bytes 0, 0, a type and a dimension"
            ),
        ),
        (
            {"images": PIXELS[:9]},
            f"{IMAGES}: the header of the IDX file is cut short; fetch it again",
        ),
        (
            {"images": PIXELS[:-1]},
            f"{IMAGES}: the header says 6 bytes, but there are only 5; fetch the file again",
        ),
        (
            {"images": PIXELS + b"\0"},
            f"{IMAGES}: the header says 6 bytes, but there are more; fetch the file again",
        ),
        (
            {"images": idx((60000, 60000, 2), b"")},
            f"{IMAGES}: the header says 60000 × 60000 × 2 numbers; at most 2 GiB can be read",
        ),
        (
            {"images": idx((0, 1, 2), b"")},
            f"{IMAGES}: the header says that there are no numbers in the file",
        ),
        (
            {"images": CLASSES},
            (
                f"{IMAGES}: this is a list of single numbers, as labels are; "
                "images have two dimensions or more"
            ),
        ),
        (
            {"images": idx((1, 2), struct.pack(">2f", 0, float("nan")), 0x0D)},
            f"{IMAGES}: pixel 2 of image 1 is not a finite number",
        ),
        ({"images": b""}, f"{IMAGES}: the file is empty, it has zero bytes; save it again"),
        ({"labels": PIXELS}, f"{LABELS}: labels must be one whole number an image"),
        (
            {"labels": idx((2,), b"\1\2")},
            f"{LABELS}: there are 2 labels for 3 images; the files do not belong together",
        ),
        (
            {"labels": idx((3,), b"\1\1\1")},
            f"{LABELS}: every row has the class '1'; there must be at least two classes",
        ),
        (
            {"test": idx((1, 1, 3), b"\0\0\0"), "test_labels": idx((1,), b"\4")},
            f"{TEST_IMAGES}: an image has 3 pixels, but 2 in {IMAGES}",
        ),
        (
            {"test": idx((1, 1, 2), b"\0\0"), "test_labels": idx((1,), b"\7")},
            f"{TEST_LABELS}: the label 7 is not one of those in {LABELS}",
        ),
        (
            {"test": idx((1, 1, 2), b"\0\0")},
            f"{TEST_IMAGES}: the labels are missing; put {TEST_LABELS} beside it",
        ),
    ],
)
def test_faults_in_idx(tmp_path, files, sentence):
    put(tmp_path, **({"images": PIXELS, "labels": CLASSES} | files))
    assert fault(tmp_path) == sentence


def test_idx_labels_missing(tmp_path):
    put(tmp_path, images=PIXELS)
    sentence = f"{IMAGES}: the labels are missing; put {LABELS} beside it"
    assert fault(tmp_path) == fault(tmp_path / IMAGES) == sentence


def test_idx_labels_named(tmp_path):
    put(tmp_path, images=PIXELS, labels=CLASSES)
    assert fault(tmp_path / LABELS) == (
        f"{LABELS}: name the file of the images (…images-idx3…); its labels are found beside it"
    )


@pytest.mark.parametrize(
    "content",
    [PIXELS[1:], PACKED[:-9], PACKED[:10] + b"\xff" * 20, PACKED[:-8] + bytes(8)],
    ids=["neither", "short", "broken", "checksum"],
)
def test_damaged_gzip(tmp_path, content):
    put(tmp_path, labels=CLASSES)
    (tmp_path / f"{IMAGES}.gz").write_bytes(content)
    assert fault(tmp_path) == f"{IMAGES}.gz: the gzip file is damaged; fetch it again"


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (f"{IMAGES}.gz", f"{LABELS}.gz"),  # a browser unpacked them and left their names
        (IMAGES.replace("-idx3", ".idx3"), LABELS.replace("-idx1", ".idx1")),
        (f"{IMAGES}/{IMAGES}", f"{LABELS}/{LABELS}"),
    ],
)
def test_other_spellings_of_mnist(tmp_path, images, labels):
    for name, content in ((images, PIXELS), (labels, CLASSES)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "as usual").mkdir()
    put(tmp_path / "as usual", images=PIXELS, labels=CLASSES)
    usual = data.load(str(tmp_path / "as usual"))
    for source in (tmp_path, tmp_path / images):
        table = data.load(str(source))
        assert np.array_equal(table.x, usual.x)
        assert np.array_equal(table.y, usual.y)


def mutated(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    result = bytearray(content)
    for place, cut, new in edits:
        start = place % (len(result) + 1)
        result[start : start + cut] = new
    return bytes(result)


EDITS = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 4), st.binary(max_size=4)), max_size=5
)


@FUZZ
@given(images=EDITS, labels=EDITS, packed=st.booleans())
def test_damaged_idx_raises_data_errors_only(tmp_path, images, labels, packed):
    for name, content, edits in ((IMAGES, PIXELS, images), (LABELS, CLASSES, labels)):
        for ending in ("", ".gz"):
            (tmp_path / f"{name}{ending}").unlink(missing_ok=True)
        data_bytes = gzip.compress(content, mtime=0) if packed else content
        ending = ".gz" if packed else ""
        (tmp_path / f"{name}{ending}").write_bytes(mutated(data_bytes, edits))
    try:
        table = data.load(str(tmp_path))
    except DataError:
        return
    assert len(table.x) == len(table.y)


# MNIST without its margins


def drawn(boxes: list[tuple[int, int, int, int]], copies: int) -> bytes:
    """Return images of 28×28 with filled boxes (top, left, height, width), over and over."""
    images = np.zeros((len(boxes), 28, 28), dtype=np.uint8)
    for image, (top, left, high, wide) in zip(images, boxes, strict=True):
        image[top : top + high, left : left + wide] = 255
    return idx((len(boxes) * copies, 28, 28), images.tobytes() * copies)


BOXES = [(4, 4, 20, 20), (7, 4, 20, 3), (0, 22, 6, 6), (12, 12, 0, 0)]
"""In the middle, low, in a corner, empty."""


def shrunk_from(folder: Path, images: bytes, classes: bytes):
    folder.joinpath("mnist").mkdir()
    put(folder / "mnist", images=images, labels=idx((len(classes),), classes))
    return data.load("mnist-20x20", folder=folder)


def test_shrunk_digits_keep_every_pixel(tmp_path):
    table = shrunk_from(tmp_path, drawn(BOXES, 300), bytes([3, 8, 8, 3]) * 300)
    images = table.x[:4].reshape(4, 20, 20)
    assert (table.x.shape, table.x.dtype) == ((1000, 400), np.float32)
    assert images.sum(axis=(1, 2)).tolist() == [400, 60, 36, 0]
    assert images[1, :, 0:3].all()
    assert images[2, :6, 14:].all()
    assert table.features[:2] == ("pixel 0,0", "pixel 0,1")
    assert not table.x.flags.writeable


def test_shrunk_digits_are_the_first_of_each_class(tmp_path):
    table = shrunk_from(tmp_path, drawn(BOXES, 301), bytes([3, 8, 8, 3]) * 301)
    assert table.y.sum(axis=0).tolist() == [500, 500]
    assert table.y_test.sum(axis=0).tolist() == [100, 100]
    assert table.classes == ("3", "8")
    assert table.y[:4].argmax(axis=1).tolist() == [0, 1, 1, 0]
    assert table.x_test.sum(axis=1)[:4].tolist() == [400, 60, 36, 0]


def test_shrunk_digits_are_kept_until_the_files_change(tmp_path):
    first = shrunk_from(tmp_path, drawn(BOXES, 300), bytes([3, 8, 8, 3]) * 300)
    assert data.load("mnist-20x20", folder=tmp_path) is first
    put(tmp_path / "mnist", images=drawn(BOXES, 301))
    put(tmp_path / "mnist", labels=idx((1204,), bytes([3, 8, 8, 3]) * 301))
    assert data.load("mnist-20x20", folder=tmp_path) is not first


def test_faults_in_shrunk_digits(tmp_path):
    with pytest.raises(DataError) as caught:
        shrunk_from(tmp_path, drawn(BOXES, 299), bytes([3, 8, 8, 3]) * 299)
    sentence = "mnist-20x20 takes 600 images of each class; '3' has 598"
    assert str(caught.value) == sentence
    put(tmp_path / "mnist", images=PIXELS, labels=CLASSES)
    with pytest.raises(DataError) as caught:
        data.load("mnist-20x20", folder=tmp_path)
    sentence = "mnist-20x20 is made from images of 28 × 28 pixels, as MNIST's are"
    assert str(caught.value) == sentence


def test_shrunk_digits_need_mnist(tmp_path, monkeypatch):
    monkeypatch.delenv("NODEFLOW_DATA", raising=False)
    monkeypatch.setattr("nodeflow.data.places.user_folder", lambda: tmp_path / "user")
    with pytest.raises(DataError) as caught:
        data.load("mnist-20x20", folder=tmp_path)
    with pytest.raises(DataError) as plain:
        data.load("mnist", folder=tmp_path)
    assert str(caught.value) == str(plain.value)
    assert "run `nodeflow data get mnist`" in str(plain.value)
    with pytest.raises(DataError, match="did you mean 'mnist-20x20'"):
        data.load("mnist-20x2", folder=tmp_path)
    with pytest.raises(DataError, match="'mnist-20x20' has its target already"):
        data.load("mnist-20x20", target=1, folder=tmp_path)


@pytest.mark.skipif(not os.environ.get("NODEFLOW_DATA"), reason="NODEFLOW_DATA is not set")
def test_real_shrunk_digits(tmp_path):
    table, whole = data.load("mnist-20x20", folder=tmp_path), data.load("mnist", folder=tmp_path)
    assert table.x.shape == (5000, 400)
    assert table.x_test.shape == (1000, 400)
    assert table.y.sum(axis=0).tolist() == [500] * 10
    assert table.y_test.sum(axis=0).tolist() == [100] * 10
    # No digit of MNIST is larger than 20×20: no ink is lost.
    ink = whole.x[:4000].sum(axis=1, dtype=float)
    np.testing.assert_allclose(table.x[:4000].sum(axis=1, dtype=float), ink, rtol=1e-6)
    assert (table.x.min(), table.x.max()) == (0, 1)


# NPZ


def npz(folder: Path, **arrays) -> Path:
    path = folder / "t.npz"
    np.savez(path, **arrays)
    return path


X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    ("y", "classes", "rows"),
    [
        ([3, 1, 3], ("1", "3"), [[0, 1], [1, 0], [0, 1]]),
        ([2.0, 10.0, 2.0], ("2", "10"), [[1, 0], [0, 1], [1, 0]]),
        (["b", "a", "b"], ("a", "b"), [[0, 1], [1, 0], [0, 1]]),
        ([b"b", b"a", b"b"], ("a", "b"), [[0, 1], [1, 0], [0, 1]]),
        ([True, False, True], ("0", "1"), [[0, 1], [1, 0], [0, 1]]),
        ([[0.5], [1], [2]], (), [[0.5], [1], [2]]),
        ([0.5, 1, 2], (), [[0.5], [1], [2]]),
        ([[1], [2], [3]], (), [[1], [2], [3]]),
        ([[0], [1], [0]], (), [[0], [1], [0]]),
    ],
)
def test_npz(tmp_path, y, classes, rows):
    table = data.load(str(npz(tmp_path, x=X, y=y)))
    assert table.x.tolist() == X
    assert table.y.tolist() == rows
    assert (table.classes, table.features) == (classes, ("x1", "x2"))
    assert table.x.dtype == table.y.dtype == np.float64
    assert not table.y.flags.writeable


def test_npz_shapes_of_x(tmp_path):
    assert data.load(str(npz(tmp_path, x=[7, 8], y=[0, 1]))).x.tolist() == [[7], [8]]
    table = data.load(str(npz(tmp_path, x=np.arange(12).reshape(2, 3, 2), y=[0, 1])))
    assert table.x.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_npz_with_test_rows(tmp_path):
    path = npz(tmp_path, x=X, y=[1, 2, 2], x_test=[[9, 9]], y_test=[2])
    table = data.load(str(path))
    assert table.x_test.tolist() == [[9, 9]]
    assert table.y_test.tolist() == [[0, 1]]
    table = data.load(str(npz(tmp_path, x=X, y=X, x_test=[[9, 9]], y_test=[[8, 7]])))
    assert table.y_test.tolist() == [[8, 7]]


Y = [1, 2, 2]


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": X}, "there is no array 'y'; there is x; save the arrays under the names x and y"),
        (
            {"y": Y, "inputs": X},
            "there is no array 'x'; there is inputs, y; save the arrays under the names x and y",
        ),
        ({"x": X, "y": [1, 2]}, "x has 3 rows, but y has 2; they must be equal"),
        ({"x": 1, "y": Y}, "x is a single number; it needs rows and columns"),
        ({"x": X, "y": 1}, "y is a single number; it needs rows and columns"),
        ({"x": np.zeros((0, 2)), "y": []}, "x is empty; it needs at least one row"),
        ({"x": X, "y": np.zeros((3, 1, 1))}, "y has 3 dimensions; it may have one or two"),
        ({"x": [["a"]], "y": Y}, "x holds no plain numbers; save it as numbers"),
        (
            {"x": np.array([1, "a", None], dtype=object), "y": Y},
            "x holds pickled objects; save it as an array of numbers or texts",
        ),
        (
            {"x": X, "y": [4, 4, 4]},
            "every row has the class '4'; there must be at least two classes",
        ),
        (
            {"x": X, "y": Y, "x_test": X},
            "there is 'x_test' but no 'y_test'; both are needed",
        ),
        (
            {"x": X, "y": Y, "x_test": [[1]], "y_test": [1]},
            "x_test has 1 columns, but x has 2; they must be equal",
        ),
        (
            {"x": X, "y": Y, "x_test": X, "y_test": [1]},
            "x_test has 3 rows, but y_test has 1; they must be equal",
        ),
        (
            {"x": X, "y": Y, "x_test": X, "y_test": [[1], [1], [3]]},
            "y_test has the class '3', but y has not",
        ),
    ],
)
def test_faults_in_npz(tmp_path, arrays, sentence):
    message = fault(npz(tmp_path, **arrays))
    assert message.startswith("t.npz")
    assert message.split(": ", 1)[1] == sentence


def test_faults_in_npz_name_the_place(tmp_path):
    bad = [[1, 2], [3, float("inf")], [5, 6]]
    assert fault(npz(tmp_path, x=bad, y=Y)) == (
        "t.npz, row 2, column 2: x is not a finite number here"
    )
    assert fault(npz(tmp_path, x=X, y=Y, x_test=X, y_test=[1, 2, 3])) == (
        "t.npz, row 3: y_test has the class '3', but y has not"
    )


def test_npz_that_is_none(tmp_path):
    path = tmp_path / "t.npz"
    path.write_bytes(b"hello")
    assert fault(path) == "t.npz: this is not an NPZ file; write it with numpy.savez"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"no array")
    assert fault(path) == "t.npz: the NPZ file is damaged; save it again"


def test_npz_of_too_many_bytes(tmp_path):
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**29, 2)}
    np.lib.format.write_array_header_1_0(buffer, header)
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
    assert fault(tmp_path / "t.npz") == "t.npz: x is larger than 2 GiB; take a part of it"


@FUZZ
@given(edits=EDITS, inside=st.booleans(), packed=st.booleans())
def test_damaged_npz_raises_data_errors_only(tmp_path, edits, inside, packed):
    buffer = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, values in (("x.npy", np.array(X)), ("y.npy", np.array(Y))):
            member = io.BytesIO()
            np.save(member, values)
            # Edits inside a member keep the checksums of the archive right.
            content = mutated(member.getvalue(), edits) if inside else member.getvalue()
            archive.writestr(zipfile.ZipInfo(name), content, how)
    whole = buffer.getvalue()
    path = tmp_path / "fuzz.npz"
    path.write_bytes(whole if inside else mutated(whole, edits))
    try:
        table = data.load(str(path))
    except DataError:
        return
    assert len(table.x) == len(table.y)
