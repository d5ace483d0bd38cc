"""What an entry point is told by its environment, and where its log goes."""

from settings.console import LOOPBACK
from settings.development import adopt_settings_of_make_up
from settings.fields import Settings, environment_name, load_settings, setting_problems
from settings.logs import configure_logging
from settings.time_zones import time_zones

__all__ = [
    "LOOPBACK",
    "Settings",
    "adopt_settings_of_make_up",
    "configure_logging",
    "environment_name",
    "load_settings",
    "setting_problems",
    "time_zones",
]
