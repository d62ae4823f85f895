"""Servers of objects on this machine, one for each kind of store, and how objects are put into them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from pyarrow import fs

ROOT = Path(__file__).parents[3]
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of the one account that every Azurite has; Microsoft publishes it."""


class Store(NamedTuple):
    """A store that is running, with a bucket or container `shop`."""

    scheme: str
    environment: dict[str, str]
    files: fs.FileSystem

    def put(self, key: str, content: bytes) -> str:
        """Put an object into `shop`; returns its URL."""
        with self.files.open_output_stream(f"shop/{key}", compression=None) as stream:
            stream.write(content)
        return f"{self.scheme}://shop/{key}"


def found(command: str) -> str:
    """The path of an emulator; the test is skipped where it is not installed."""
    path = shutil.which(command, path=f"{ROOT / '.emulators/bin'}:{os.environ['PATH']}")
    if path is None:
        pytest.skip(f"needs {command} (make slow installs those written in Python; azurite comes from npm)")
    return path


@contextmanager
def running(words: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a server until its port has answered and the block has ended."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, stdout=quiet, stderr=quiet, env=os.environ | (environment or {}))
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, words
            assert time.monotonic() < deadline, words
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def s3(*, allowed_calls: int | None = None) -> Iterator[Store]:
    """Moto's S3. allowed_calls: so many calls are answered before keys are looked at."""
    port = free_port()
    words = [found("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    checks = {} if allowed_calls is None else {"INITIAL_NO_AUTH_ACTION_COUNT": str(allowed_calls)}
    address = f"http://127.0.0.1:{port}"
    with running(words, port, checks):
        keys = {"access_key": "ann", "secret_key": "secret", "region": "eu-west-1"}
        files = fs.S3FileSystem(**keys, endpoint_override=address, allow_bucket_creation=True)
        files.create_dir("shop")
        given = {"AWS_ACCESS_KEY_ID": "ann", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
        yield Store("s3", given | {"AWS_ENDPOINT_URL": address}, files)


@contextmanager
def google() -> Iterator[Store]:
    """A stub of Google Cloud Storage."""
    port = free_port()
    words = [found("gcp-storage-emulator"), "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]
    with running([*words, "--default-bucket=shop"], port):
        address = f"127.0.0.1:{port}"
        files = fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=address)
        yield Store("gs", {"STORAGE_EMULATOR_HOST": f"http://{address}"}, files)


@contextmanager
def azure() -> Iterator[Store]:
    """Azurite, which speaks as Azure's blob storage does."""
    port = free_port()
    words = [found("azurite-blob"), "--inMemoryPersistence", "--blobPort", str(port), "--skipApiVersionCheck"]
    with running(words, port):
        account, address = "devstoreaccount1", f"127.0.0.1:{port}"
        parts = {"scheme": "http", "authority": address}
        settings = {f"{kind}_storage_{part}": parts[part] for kind in ("blob", "dfs") for part in parts}
        files = fs.AzureFileSystem(account, account_key=AZURE_KEY, **settings)
        files.create_dir("shop")
        text = f"AccountName={account};AccountKey={AZURE_KEY};BlobEndpoint=http://{address}/{account};"
        yield Store("az", {"AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;{text}"}, files)


STORES = {"s3": s3, "gs": google, "az": azure}
