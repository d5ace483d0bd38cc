"""Alembic's configuration, which does not depend on the folder that a command is run in."""

import argparse
from pathlib import Path

from alembic.config import Config

ROOT = Path(__file__).parents[2]


def configuration(owner_url: str = "") -> Config:
    """Return the configuration; with an address, migrations go there instead of where the settings say."""
    options = argparse.Namespace(x=[f"url={owner_url}"]) if owner_url else None
    config = Config(cmd_opts=options)
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    return config
