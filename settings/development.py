"""The settings of `make up`, found by whoever stands in its folder and has set none."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from settings.fields import Settings, environment_name

FILE = Path(".duly", "environment")


def adopt_settings_of_make_up(folder: Path) -> Path | None:
    """Take the settings that a running `make up` has left in a folder, or above it; return the file, or None.

    Nothing is taken when one of them is set already, or when the file belongs to somebody else.
    """
    for place in (folder, *folder.parents):
        path = place / FILE
        if path.is_file() and path.stat().st_uid == os.geteuid():
            found = _settings_in(path)
            if not found or found.keys() & os.environ.keys():
                return None
            os.environ.update(found)
            return path
    return None


def _settings_in(path: Path) -> Mapping[str, str]:
    """Return the settings in a file for a shell. Whatever else is in it is nobody's setting."""
    known = {environment_name(field) for field in Settings.model_fields}
    pairs = (word.partition("=") for word in shlex.split(path.read_text(encoding="utf-8"), comments=True))
    return {name: value for name, _, value in pairs if name in known}
