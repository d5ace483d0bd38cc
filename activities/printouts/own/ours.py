"""Our own templates as text, for whoever begins one of theirs."""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "templates"
_SUFFIXES = {"pdf": "typ"}


def our_template(name: str) -> str:
    """Return our template of a format: pdf, html or rtf."""
    return (_FOLDER / f"document.{_SUFFIXES.get(name, name)}").read_text(encoding="utf-8")
