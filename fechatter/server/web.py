"""The web client's files, from memory: the built bundle, with index.html for every address of the page.

WebClient.load   read the bundle once; the manifest bears the installation's name
page_policy      what the page may load, run and connect to
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from litestar import Response

HERE = Path(__file__).resolve()
FOLDERS = (HERE.parents[2] / "web" / "dist", HERE.parents[1] / "web")
IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache"
MANIFEST = "manifest.webmanifest"
WORKER = "sw.js"
TRUSTED = "svelte-trusted-html fechatter-worker"
"""Trusted Types policies: templates, and the worker’s address. Messages are made of nodes, never of HTML."""
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "application/manifest", "image/svg")
_NOT_BUILT = b"""<!doctype html><html lang="en"><title>Fechatter</title>
<p>The web client has not been built: run <code>make run</code>.</p>
"""


@dataclass(frozen=True)
class Asset:
    """One file, as it is sent."""

    body: bytes
    media_type: str
    etag: str
    cache_control: str
    is_worker: bool = False

    @cached_property
    def gzipped(self) -> bytes | None:
        """Compressed when it is asked for first; None where that does not pay."""
        if not self.media_type.startswith(_COMPRESSIBLE):
            return None
        compressed = gzip.compress(self.body, mtime=0)
        return compressed if len(compressed) < len(self.body) else None


class WebClient:
    """The bundle by path.

    assets   path below / → file; never changes while the process runs
    """

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets

    @classmethod
    def load(cls, name: str) -> "WebClient":
        """`name` is the installation's."""
        folder = next((path for path in FOLDERS if (path / "index.html").is_file()), None)
        if folder is None:
            return cls({"index.html": _asset("index.html", _NOT_BUILT)})
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        bodies = {path: file.read_bytes() for path, file in files.items()}
        if MANIFEST in bodies:
            bodies[MANIFEST] = _named(bodies[MANIFEST], name)
        return cls({path: _asset(path, body) for path, body in bodies.items()})

    def find(self, path: str) -> Asset | None:
        """The file at `path`, or the page itself for an address without a file's ending; else None."""
        name = path.strip("/")
        if name in self._assets:
            return self._assets[name]
        return None if "." in name.rpartition("/")[2] else self._assets["index.html"]


def page_policy(notify_url: str) -> str:
    """The page's Content-Security-Policy: its own files, its own server and notify_server, nothing else."""
    sockets = notify_url.replace("http", "ws", 1)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self'; "
        f"connect-src 'self' {notify_url} {sockets}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"require-trusted-types-for 'script'; trusted-types {TRUSTED}"
    )


def asset_response(asset: Asset, *, if_none_match: str, accept_encoding: str, policy: str) -> Response[bytes]:
    """The file, or 304 when the browser has it."""
    headers = {
        "ETag": asset.etag,
        "Cache-Control": asset.cache_control,
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": policy,
        **({"Service-Worker-Allowed": "/"} if asset.is_worker else {}),
    }
    if asset.etag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in accept_encoding and asset.gzipped is not None:
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _named(manifest: bytes, name: str) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(manifest) | {"name": name, "short_name": name})


def _asset(path: str, body: bytes) -> Asset:
    return Asset(
        body=body,
        media_type=_media_type(path),
        etag=f'"{hashlib.sha256(body).hexdigest()[:24]}"',
        cache_control=IMMUTABLE if path.startswith("assets/") else FRESH,  # names below assets/ bear a hash
        is_worker=path == WORKER,
    )


def _media_type(path: str) -> str:
    if path == MANIFEST:
        return "application/manifest+json"
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    # To text/… the framework adds it.
    return f"{media_type}; charset=utf-8" if media_type == "application/javascript" else media_type
