"""Data sets: fetching them, from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nodeflow.data import fetch
from nodeflow.errors import DataError

RAW = b"1.5\t2\t\t1\r\n3\t\t4\t2\r\n"
CSV = b"1.5,2,1\n3,4,2"
FILES = {
    "train-images-idx3-ubyte.gz": b"one",
    "train-labels-idx1-ubyte.gz": b"two",
    "t10k-images-idx3-ubyte.gz": b"three",
    "t10k-labels-idx1-ubyte.gz": b"four",
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder; return the folder and its address."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{served.server_port}/"
        served.shutdown()
        thread.join()


def wheat_from(monkeypatch, *urls, checksum=None):
    monkeypatch.setattr(fetch, "WHEAT_SEEDS_URLS", urls)
    checksum = checksum or hashlib.sha256(CSV).hexdigest()
    monkeypatch.setattr(fetch, "WHEAT_SEEDS_SHA256", checksum)


def closed_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("seeds_dataset.txt", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", RAW), ("a.zip", zipped(RAW))], ids=["text", "zip"]
)
@pytest.mark.parametrize("progress", [False, True])
def test_wheat_seeds(server, tmp_path, monkeypatch, capsys, name, content, progress):
    folder, url = server
    (folder / name).write_bytes(content)
    wheat_from(monkeypatch, url + "missing", url + name)
    path = fetch.get("wheat-seeds", into=tmp_path / "new" / "place", progress=progress)
    assert path == tmp_path / "new" / "place" / "wheat-seeds.csv"
    assert path.read_bytes() == CSV
    assert [p.name for p in path.parent.iterdir()] == ["wheat-seeds.csv"]
    assert capsys.readouterr().out == ""


def test_a_good_file_is_kept_and_a_bad_one_replaced(server, tmp_path, monkeypatch):
    folder, url = server
    (folder / "a").write_bytes(RAW)
    path = tmp_path / "wheat-seeds.csv"
    path.write_bytes(CSV)
    wheat_from(monkeypatch, closed_address())
    assert fetch.get("wheat-seeds", into=tmp_path, progress=False).read_bytes() == CSV
    path.write_bytes(RAW)
    wheat_from(monkeypatch, url + "a")
    assert fetch.get("wheat-seeds", into=tmp_path, progress=False).read_bytes() == CSV


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"1\t2", "sent a file with another checksum"),
        (b"\xff\0", "sent a file with another checksum"),
        (b"PK nothing", "sent a damaged file"),
    ],
)
def test_another_checksum(server, tmp_path, monkeypatch, content, why):
    folder, url = server
    (folder / "a").write_bytes(content)
    wheat_from(monkeypatch, url + "a", url + "b")
    target = tmp_path / "to"
    with pytest.raises(DataError) as caught:
        fetch.get("wheat-seeds", into=target, progress=False)
    assert str(caught.value) == (
        f"wheat-seeds.csv could not be fetched ({url}a {why}; {url}b answered with status 404); "
        f"put it in {target} yourself"
    )
    assert not target.exists()


@pytest.mark.parametrize("name", ["wheat-seeds", "mnist"])
def test_offline(tmp_path, monkeypatch, name):
    url = closed_address()
    wheat_from(monkeypatch, url)
    monkeypatch.setattr(fetch, "MNIST_URLS", (url,))
    file = "wheat-seeds.csv" if name == "wheat-seeds" else "train-images-idx3-ubyte.gz"
    place = tmp_path if name == "wheat-seeds" else tmp_path / "mnist"
    asked = url if name == "wheat-seeds" else url + file
    with pytest.raises(DataError) as caught:
        fetch.get(name, into=tmp_path, progress=False)
    assert str(caught.value) == (
        f"{file} could not be fetched ({asked} could not be reached); put it in {place} yourself"
    )


def test_mnist(server, tmp_path, monkeypatch):
    folder, url = server
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(fetch, "MNIST_SHA256", sums)
    monkeypatch.setattr(fetch, "MNIST_URLS", (url + "bad/", url))
    (folder / "bad").mkdir()
    for name, content in FILES.items():
        # However it is packed, the unpacked bytes count.
        (folder / name).write_bytes(gzip.compress(content, compresslevel=len(content), mtime=9))
        (folder / "bad" / name).write_bytes(gzip.compress(content)[:-5])
    place = fetch.get("mnist", into=tmp_path, progress=False)
    assert place == tmp_path / "mnist"
    assert {p.name: gzip.decompress(p.read_bytes()) for p in place.iterdir()} == FILES


def test_the_user_folder_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "user_folder", lambda: tmp_path)
    wheat_from(monkeypatch, closed_address())
    (tmp_path / "wheat-seeds.csv").write_bytes(CSV)
    assert fetch.get("wheat-seeds", progress=False) == tmp_path / "wheat-seeds.csv"


def test_an_unknown_name(tmp_path):
    with pytest.raises(DataError) as caught:
        fetch.get("mnits", into=tmp_path)
    assert str(caught.value) == "there is no data set 'mnits' to fetch; did you mean 'mnist'?"


def test_a_place_that_cannot_be_written(server, tmp_path, monkeypatch):
    folder, url = server
    (folder / "a").write_bytes(RAW)
    wheat_from(monkeypatch, url + "a")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        fetch.get("wheat-seeds", into=tmp_path / "file", progress=False)
    assert str(caught.value) == (
        f"wheat-seeds.csv cannot be written to {tmp_path / 'file'} (file exists); "
        "choose another folder"
    )


@pytest.mark.skipif(not os.environ.get("NODEFLOW_DATA"), reason="NODEFLOW_DATA is not set")
def test_real_wheat_seeds_from_their_public_form(server, tmp_path, monkeypatch):
    folder, url = server
    truth = (Path(os.environ["NODEFLOW_DATA"]) / "wheat-seeds.csv").read_bytes()
    rows = [
        "\t\t".join(f"{float(cell):g}" for cell in row.split(","))
        for row in truth.decode().splitlines()
    ]
    (folder / "a").write_bytes("\n".join(rows).encode())
    monkeypatch.setattr(fetch, "WHEAT_SEEDS_URLS", (url + "a",))
    path = fetch.get("wheat-seeds", into=tmp_path, progress=False)
    assert path.read_bytes() == truth


@pytest.mark.skipif(not os.environ.get("NODEFLOW_DATA"), reason="NODEFLOW_DATA is not set")
def test_real_mnist_has_the_checksums(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MNIST_URLS", (closed_address(),))
    assert fetch.get("mnist", into=Path(os.environ["NODEFLOW_DATA"]), progress=False)
