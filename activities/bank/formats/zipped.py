"""Files of a bank that come in one ZIP file: bounded, since it is somebody else's file (decision 0206)."""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from models.problem import refusal

# A year of daily statements; as much text as a bank writes for them; and what no text is compressed by.
FILES_MAX = 400
BYTES_MAX = 256 * 1024 * 1024
RATIO_MAX = 200
_CHUNK = 1024 * 1024
# What one system or another adds beside the files.
_ADDED = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@contextmanager
def files_in(path: Path) -> Iterator[list[Path]]:
    """Give the files in a ZIP file, in the order of their names, for as long as they are read; or the file itself.

    Raises RefusedError: it is damaged or encrypted, holds another ZIP file, or more than a bank's files come to.
    """
    if not zipfile.is_zipfile(path):
        yield [path]
        return
    with TemporaryDirectory(prefix="duly-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if not _is_folder(one) and not _is_added(one.filename)]
                _require_bounds(members)
                files = [
                    _unpacked(archive, one, Path(folder) / str(place))
                    for place, one in enumerate(sorted(members, key=lambda one: one.filename))
                ]
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, UnicodeError) as error:
            raise refusal("file", "zip_readable", f"cannot be unpacked: {error}"[:200]) from error
        yield files


def _require_bounds(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise refusal("file", "zip_holds_files", "holds no file")
    if len(members) > FILES_MAX:
        raise refusal("file", "zip_files", f"holds {len(members)} files, at most {FILES_MAX}")
    if any(one.flag_bits & 1 for one in members):
        raise refusal("file", "zip_readable", "is encrypted: unpack it first")
    size = sum(one.file_size for one in members)
    if size > BYTES_MAX or any(one.file_size > RATIO_MAX * max(one.compress_size, _CHUNK) for one in members):
        raise refusal("file", "zip_size", f"is more than {BYTES_MAX // _CHUNK} MiB when it is unpacked")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    # The name of a member is for messages, and no path: it goes nowhere but into a folder of its own.
    folder.mkdir()
    file = folder / (PurePosixPath(member.filename.replace("\\", "/")).name or "file")
    left = member.file_size
    with archive.open(member) as packed, file.open("wb") as unpacked:
        while chunk := packed.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise refusal("file", "zip_size", f"{file.name} is more than its ZIP file says")
            unpacked.write(chunk)
    if zipfile.is_zipfile(file):
        raise refusal("file", "zip_in_zip", f"{file.name} is a ZIP file itself: unpack it first")
    return file


def _is_folder(member: zipfile.ZipInfo) -> bool:
    # A damaged name may be empty, at which the library's own question fails.
    return member.filename.endswith("/")


def _is_added(name: str) -> bool:
    return name.startswith(_ADDED[0]) or PurePosixPath(name).name in _ADDED
