"""A bank's file as it comes with a form: into a file of its own, for as long as it is read; its name is nobody's."""

import asyncio
import base64
import hashlib
import shutil
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.datastructures import FormData, UploadFile

from models.problem import refusal
from web.actions.of_bank_files import content_of
from web.security import FormBounds, text_of

# A larger one is imported by the command line, which takes any.
FILE_BYTES_MAX = 16 * 1024 * 1024
# A file up to this comes back with the page that shows it, as base64; a larger one is chosen again.
KEPT_BYTES_MAX = 1024 * 1024
TOO_LARGE = (
    f"A file may have {FILE_BYTES_MAX // 1024 // 1024} MB at most: `duly import bank FILE` and"
    " `duly refunds confirm FILE` take larger ones."
)
BANK_FILE = FormBounds(
    FILE_BYTES_MAX + KEPT_BYTES_MAX * 3 // 2, files_max=1, field_bytes_max=KEPT_BYTES_MAX * 3 // 2, too_large=TOO_LARGE
)


@dataclass(frozen=True)
class BankUpload:
    """A file that came: where it is, how large, by what it is known, and what a page holds of it; "" for nothing."""

    path: Path
    size: int
    name: str
    content: str


@asynccontextmanager
async def uploaded(form: FormData) -> AsyncIterator[BankUpload]:
    """Lend the file that was chosen, or that came back with its page. Raises RefusedError for none, or a wrong one.

    A form says by `shown` which file its page has shown: another one is not what somebody has looked at.
    """
    chosen = form.get("file")
    with TemporaryDirectory(prefix="duly-bank-") as folder:
        path = Path(folder) / "file"
        if isinstance(chosen, UploadFile) and chosen.filename:
            await asyncio.to_thread(_copy, chosen, path)
        else:
            path.write_bytes(content_of(text_of(form, "content")))
        read = await asyncio.to_thread(_read, path)
        if not read.size:
            raise refusal("file", "file_given", "choose a file: nothing came, or it is empty")
        if read.size > FILE_BYTES_MAX:
            raise refusal("file", "file_size", TOO_LARGE)
        if zipfile.is_zipfile(path):
            raise refusal("file", "file_is_no_zip", "is a ZIP file: unpack it first, or import it by the command line")
        if text_of(form, "shown") not in {"", read.name}:
            raise refusal("file", "file_is_as_shown", "is another file than the one that was shown: look at it first")
        yield read


def _copy(chosen: UploadFile, path: Path) -> None:
    with path.open("wb") as written:
        shutil.copyfileobj(chosen.file, written)


def _read(path: Path) -> BankUpload:
    with path.open("rb") as read:
        digest = hashlib.file_digest(read, "sha256").hexdigest()
    size = path.stat().st_size
    content = base64.b64encode(path.read_bytes()).decode() if size <= KEPT_BYTES_MAX else ""
    return BankUpload(path, size, f"sha256:{digest[:24]}", content)
