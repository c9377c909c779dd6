"""A real S3 server for tests: SeaweedFS, all of it in one process.

S3Server.start(folder)   on free ports of 127.0.0.1, with its data in `folder`; ended afterwards
server.files(name)       settings of a bucket's own
server.keys(name)        what the bucket holds
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import obstore
from obstore.store import S3Store

from fechatter.cli import tether
from fechatter.config import Files
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, wait_until

ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"
_ROLES = ("master", "volume", "filer", "s3")


def tethered(folder: Path) -> list[str]:
    """What stands before a command that is to end with this process, however that ends."""
    owner = f"{os.geteuid()}:{os.getegid()}"
    return [sys.executable, "-I", tether.__file__, str(os.getpid()), str(int(signal.SIGKILL)), owner, str(folder)]


class S3Server:
    """A running server. `endpoint` is where S3 is spoken."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._numbers = count(1)

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Generator["S3Server"]:
        ports = {role: free_port() for role in _ROLES}
        grpc = {role: free_port() for role in _ROLES}
        identities = folder / "s3.json"
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        actions = ["Admin", "Read", "List", "Tagging", "Write"]
        identities.write_text(
            json.dumps({"identities": [{"name": "test", "credentials": credentials, "actions": actions}]})
        )
        (folder / "data").mkdir()
        numbers = [f"-{role}.port={ports[role]}" for role in _ROLES] + [
            f"-{role}.port.grpc={grpc[role]}" for role in _ROLES
        ]
        with (folder / "weed.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *tethered(folder),
                    Path(sys.executable).with_name("weed"),
                    f"-logdir={folder}",
                    "server",
                    f"-dir={folder / 'data'}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    "-filer",
                    "-s3",
                    f"-s3.config={identities}",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    "-volume.max=200",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.preStopSeconds=0",
                    *numbers,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        server = cls(f"http://127.0.0.1:{ports['s3']}")
        try:
            wait_until(server._is_ready, "SeaweedFS takes objects", 60)
            yield server
        finally:
            process.kill()
            process.wait()

    def files(self) -> Files:
        """A bucket that nobody else uses."""
        name = f"bucket-{next(self._numbers)}"
        self._make_bucket(name)
        return Files(
            url=f"s3://{name}/some/prefix",
            endpoint=self.endpoint,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
        )

    def keys(self, files: Files) -> list[str]:
        store = self._store(files.url.split("/")[2])
        pages = obstore.list(store, return_arrow=False)  # pyright: ignore[reportUnknownMemberType]
        return [found["path"] for page in pages for found in page]

    def _is_ready(self) -> bool:
        try:
            self._make_bucket("probe")
            obstore.put(self._store("probe"), "probe", b"x")
        except (OSError, urllib.error.URLError, obstore.exceptions.BaseError):
            return False
        return True

    def _make_bucket(self, name: str) -> None:
        """An empty PUT makes a bucket, signed like any other request: obstore signs it as an object without a name."""
        signed = obstore.sign(self._store(name), "PUT", "", timedelta(minutes=5))
        request = urllib.request.Request(signed, method="PUT")  # noqa: S310 - http, on this machine
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S):  # noqa: S310 - as above
                pass
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def _store(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            config={
                "endpoint": self.endpoint,
                "region": "us-east-1",
                "access_key_id": ACCESS_KEY,
                "secret_access_key": SECRET_KEY,
            },
            client_options={"allow_http": True, "timeout": timedelta(seconds=PATIENCE_S)},
            retry_config={"max_retries": 0},
        )
