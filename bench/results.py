"""Where measured figures are kept: one JSON file a figure, which docs/performance.md is written from."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

FOLDER = Path(__file__).parent / "results"

T = TypeVar("T")


def keep(name: str, figure: object, folder: Path = FOLDER) -> Path:
    """Write a figure under its name, over what was measured before; return the file."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.json"
    file.write_bytes(TypeAdapter(type(figure)).dump_json(figure, indent=2) + b"\n")
    return file


def kept(name: str, kind: type[T], folder: Path = FOLDER) -> T | None:
    """Read a figure; None when it has not been measured yet."""
    file = folder / f"{name}.json"
    return TypeAdapter(kind).validate_json(file.read_bytes()) if file.exists() else None
