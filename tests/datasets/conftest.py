"""Small TFDS sets, written as TFDS writes them, and small web servers."""

import contextlib
import http.server
import json
import socket
import threading

import numpy as np
import photos
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds


@pytest.fixture
def prepared(tmp_path):
    """`prepared(name, train=(images, labels), …)` writes a set below `tmp_path` and returns its folder."""

    def write(name: str, shards: int = 1, **splits):
        version = str(tfds.builder(name, data_dir=tmp_path).version)
        folder = tmp_path / name / version
        folder.mkdir(parents=True)
        info = {
            "name": name.split("/")[0],
            "version": version,
            "fileFormat": "tfrecord",
            "splits": [
                {
                    "name": split,
                    "numBytes": "1",
                    "shardLengths": [str(len(part)) for part in np.array_split(labels, shards)],
                    "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                }
                for split, (_, labels) in splits.items()
            ],
        }
        if "/" in name:
            info["configName"] = name.split("/")[1]
        (folder / "dataset_info.json").write_text(json.dumps(info))
        for split, (images, labels) in splits.items():
            for shard, part in enumerate(np.array_split(np.arange(len(labels)), shards)):
                path = folder / f"{info['name']}-{split}.tfrecord-{shard:05}-of-{shards:05}"
                with tf.io.TFRecordWriter(str(path)) as file:
                    for index in part:
                        file.write(_record(images[index], labels[index]))
        return folder

    return write


def _record(image: np.ndarray, label: int) -> bytes:
    png = tf.io.encode_png(image).numpy()
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[png])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def pictures():
    """`pictures(count, shape)`: random uint8 images of that shape and labels from 0 to 9."""
    generator = np.random.default_rng(0)

    def make(count: int, shape: tuple[int, ...] = (28, 28, 1)):
        return generator.integers(0, 256, (count, *shape), np.uint8), generator.integers(0, 10, count)

    return make


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]):
    """A server on this machine, one thread a connection; yields its address, host:port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture(scope="session")
def server():
    return serving


@pytest.fixture
def no_connections(monkeypatch):
    """Any attempt to reach another address fails the test; gives the list of attempts."""
    attempts = []

    def refuse(self, address):
        attempts.append(address)
        raise OSError(f"a connection to {address} was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: refuse(None, address))
    yield attempts
    assert not attempts


@pytest.fixture
def pets(tmp_path):
    """A folder with 20 photos each of cats and dogs."""
    root = tmp_path / "pets"
    photos.fill(root / "cat", 0)
    photos.fill(root / "dog", 100)
    return root
