"""Getting a set that is not here: files placed by hand, hosts that answer badly or not at all, slow ones."""

import hashlib
import http.server
import pathlib
import socket
import sys
import textwrap
import threading
import time
import types

import pytest

from course_lib import datasets
from course_lib.datasets import download

DOTS = bytes(range(40))  # the only file of the set "dotted_digits": a byte an image


def builder(folder: pathlib.Path, *urls: str, prepare=lambda: None):
    """What `fetch` needs to know of a TFDS builder."""
    return types.SimpleNamespace(
        name="mnist",
        data_path=folder / "mnist" / "3.0.1",
        info=types.SimpleNamespace(full_name="mnist/3.0.1"),
        url_infos={url: types.SimpleNamespace(filename=url.rsplit("/", 1)[1]) for url in urls},
        download_and_prepare=prepare,
        is_prepared=lambda: False,
    )


def failure(*arguments) -> str:
    with pytest.raises(FileNotFoundError) as caught:
        download.fetch(*arguments)
    return str(caught.value)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers HEAD with `status`; keeps what it was asked."""

    status = 200

    def do_HEAD(self):
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def answering(status: int) -> type[Answer]:
    return type("Answering", (Answer,), {"status": status})


def test_a_silent_host_ends_the_attempt_and_both_ways_on_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/files/digits.gz"
        began = time.perf_counter()
        message = failure(builder(tmp_path, url), (), False)
        assert time.perf_counter() - began < 60  # TFDS itself retries for minutes
    assert message.startswith("digits.gz cannot be fetched from 127.0.0.1: ")
    assert "timed out" in message or "no answer within 0.3 seconds" in message
    assert f"Either place digits.gz in {tmp_path / 'downloads' / 'manual'} by hand and load mnist again" in message
    assert "COURSE_OFFLINE=1" in message and "datasets.load('digits')" in message


def test_patience_covers_a_host_name_that_is_not_found(monkeypatch):
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(300) and [])  # obeys no time-out
    began = time.perf_counter()
    assert download.no_answer("http://digits.invalid/file", 0.2) == "no answer within 0.2 seconds"
    assert time.perf_counter() - began < 60
    found.set()


def test_a_refused_connection_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/digits.gz"
    assert "refused" in failure(builder(tmp_path, url), (), False)


@pytest.mark.parametrize(("status", "reason"), [(503, "it answers 503 Service Unavailable"), (404, "404 Not Found")])
def test_an_error_answer_says_so(status, reason, server, tmp_path):
    with server(answering(status)) as address:
        assert reason in failure(builder(tmp_path, f"http://{address}/digits.gz"), (), False)


@pytest.mark.parametrize("status", [200, 405, 501])
def test_a_host_that_only_dislikes_the_question_is_there(status, server, tmp_path):
    prepared = []
    with server(answering(status)) as address:
        url = f"http://{address}/digits.gz"
        download.fetch(builder(tmp_path, url, prepare=lambda: prepared.append(True)), (), False)
    assert prepared == [True]


def test_an_answer_that_is_no_http_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as gibberish:

        def answer():
            connection, _ = gibberish.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"hello, this is a coffee machine\r\n")

        threading.Thread(target=answer, daemon=True).start()
        reason = download.no_answer(f"http://127.0.0.1:{gibberish.getsockname()[1]}/x", 60)
    assert "coffee" in reason


def test_each_host_is_asked_and_only_for_files_that_are_needed_and_not_here(server, tmp_path):
    asked = []

    class Noting(Answer):
        def do_HEAD(self):
            asked.append(self.path)
            super().do_HEAD()

    by_hand = tmp_path / "downloads" / "manual"
    by_hand.mkdir(parents=True)
    (by_hand / "here.gz").touch()
    with server(Noting) as address:
        urls = [f"http://{address}/{file}" for file in ("here.gz", "other_config.gz", "needed.gz")]
        download.fetch(builder(tmp_path, *urls), ("here.gz", "needed.gz"), False)
    assert asked == ["/needed.gz"]


def test_what_tfds_says_of_a_failed_preparation_is_passed_on(tmp_path):
    def fails():
        raise OSError("No space left on device\nsecond line")

    message = failure(builder(tmp_path, prepare=fails), (), True)
    assert message.startswith("mnist could not be prepared: No space left on device. Either place")


def test_a_package_that_tfds_needs_and_does_not_declare_is_named(tmp_path):
    def prepare():
        raise ModuleNotFoundError("No module named 'importlib_resources'", name="importlib_resources")

    message = failure(builder(tmp_path, prepare=prepare), (), False)
    assert "cannot be prepared without importlib_resources. Type: pip install importlib_resources" in message


def test_offline_opens_no_connection(tmp_path, monkeypatch, no_connections, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(FileNotFoundError) as caught:
        datasets.load("mnist", data_dir=tmp_path)
    message = str(caught.value)
    assert "mnist is not here and working offline is asked for" in message
    for file in ("train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", str(tmp_path / "downloads" / "manual")):
        assert file in message
    assert datasets.load("digits", data_dir=tmp_path).name == "uci_digits"
    with pytest.raises(FileNotFoundError) as caught:
        datasets.load("imagenette", data_dir=tmp_path)
    assert f"place imagenette2-160.tgz in {tmp_path / 'downloads' / 'manual'} by hand" in str(caught.value)  # one file
    with pytest.raises(ValueError, match="unknown data set"):
        datasets.load("mnits", data_dir=tmp_path)
    assert len(datasets.status(tmp_path)) == len(datasets.DATASETS)


@pytest.fixture
def dotted_digits(tmp_path, monkeypatch):
    """`dotted_digits(url)` registers a TFDS set that downloads one file from `url`."""

    def register(url: str) -> str:
        name = f"dotted_digits{len(sys.modules)}"  # TFDS registers a name once
        package = tmp_path / "packages" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "checksums.tsv").write_text(f"{url}\t{len(DOTS)}\t{hashlib.sha256(DOTS).hexdigest()}\tdots.bin\n")
        (package / f"{name}_dataset_builder.py").write_text(
            textwrap.dedent(f"""
            import numpy as np
            import tensorflow_datasets as tfds

            class Builder(tfds.core.GeneratorBasedBuilder):
                VERSION = tfds.core.Version("1.0.0")

                def _info(self):
                    features = {{
                        "image": tfds.features.Image(shape=(4, 4, 1)),
                        "label": tfds.features.ClassLabel(num_classes=2),
                    }}
                    return tfds.core.DatasetInfo(
                        builder=self,
                        features=tfds.features.FeaturesDict(features),
                        supervised_keys=("image", "label"),
                        disable_shuffling=True,
                    )

                def _split_generators(self, dl_manager):
                    return {{"train": self._generate_examples(dl_manager.download("{url}"))}}

                def _generate_examples(self, path):
                    for index, byte in enumerate(path.read_bytes()):
                        yield index, {{"image": np.full((4, 4, 1), byte, np.uint8), "label": index % 2}}
            """)
        )
        monkeypatch.syspath_prepend(tmp_path / "packages")
        __import__(f"{name}.{name}_dataset_builder")
        return name

    return register


def test_a_slow_download_is_not_cut_off(dotted_digits, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    no_answer = download.no_answer
    monkeypatch.setattr(download, "no_answer", lambda url, patience: no_answer(url, 60))  # the first answer has time

    class Trickling(Answer):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(DOTS)))
            self.end_headers()
            for start in range(0, len(DOTS), 4):  # one second in all
                self.wfile.write(DOTS[start : start + 4])
                self.wfile.flush()
                time.sleep(0.1)

    with server(Trickling) as address:
        name = dotted_digits(f"http://{address}/dots.bin")
        began = time.perf_counter()
        data = datasets.load(name, data_dir=tmp_path / "data", offline=False)
        assert time.perf_counter() - began > 3 * download.PATIENCE
    assert (len(data.train), len(data.validation), len(data.test)) == (33, 3, 4)
    assert data.train.arrays()[0][:, 0, 0, 0].tolist() == list(DOTS[:33])


def test_a_file_placed_by_hand_needs_no_connection(dotted_digits, tmp_path, no_connections):
    name = dotted_digits("http://digits.invalid/dots.bin")
    with pytest.raises(FileNotFoundError, match=r"dots\.bin"):
        datasets.load(name, data_dir=tmp_path, offline=True)
    by_hand = tmp_path / "downloads" / "manual"
    by_hand.mkdir(parents=True)
    (by_hand / "dots.bin").write_bytes(DOTS)
    assert datasets.load(name, data_dir=tmp_path, offline=True).image_shape == (4, 4, 1)


def test_a_wrong_file_placed_by_hand_is_refused(dotted_digits, tmp_path):
    name = dotted_digits("http://digits.invalid/dots.bin")
    by_hand = tmp_path / "downloads" / "manual"
    by_hand.mkdir(parents=True)
    (by_hand / "dots.bin").write_bytes(DOTS[::-1])
    with pytest.raises(FileNotFoundError, match=r"could not be prepared: .*checksum"):
        datasets.load(name, data_dir=tmp_path, offline=True)
