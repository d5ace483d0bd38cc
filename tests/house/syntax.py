"""A commit hook: every TOML and YAML file named can be read."""

import sys
import tomllib
from pathlib import Path

import yaml


def unreadable(paths: list[Path]) -> list[str]:
    """Return a line for each file that is not what its name says."""
    return [f"{path}: {error}" for path in paths if (error := _error_in(path))]


def _error_in(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".toml":
            tomllib.loads(text)
        else:
            list(yaml.safe_load_all(text))
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit("\n".join(unreadable([Path(name) for name in sys.argv[1:]])) or 0)
