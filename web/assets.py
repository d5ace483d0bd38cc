"""Styles and scripts: read once at start, named by their hash, and kept by browsers for good."""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "assets"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_KEPT = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


@dataclass(frozen=True)
class Asset:
    """One file as it is served: its address holds a part of its hash, and a page names the whole of it."""

    name: str
    content: bytes
    packed: bytes
    type: str
    url: str
    integrity: str


class Assets:
    """Every file below the folder, by its name."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name = {path.name: _asset(path) for path in folder.rglob("*") if path.suffix in _TYPES}
        self._by_url = {asset.url: asset for asset in self._by_name.values()}

    def __getitem__(self, name: str) -> Asset:
        return self._by_name[name]

    async def serve(self, request: Request) -> Response:
        """Answer with a file. One of another release is not there any more."""
        asset = self._by_url.get(request.url.path)
        if asset is None:
            raise HTTPException(404)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.type, headers={**_KEPT, "content-encoding": "gzip"})
        return Response(asset.content, media_type=asset.type, headers=_KEPT)


@cache
def own_assets() -> Assets:
    """Return this release's files, read and compressed once a process, which may serve several applications."""
    return Assets()


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha384(content)
    return Asset(
        path.name,
        content,
        gzip.compress(content, mtime=0),
        _TYPES[path.suffix],
        f"/assets/{digest.hexdigest()[:16]}/{path.name}",
        "sha384-" + base64.b64encode(digest.digest()).decode(),
    )
