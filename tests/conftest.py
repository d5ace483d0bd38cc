"""The servers and databases that tests ask for. Each starts when the first test asks for it, once."""

import gc

from hypothesis import settings

# A busy machine is no reason for a law to fail.
settings.register_profile("duly", deadline=None)
settings.load_profile("duly")

pytest_plugins = [
    "tests.fixtures.cards",
    "tests.fixtures.collecting",
    "tests.fixtures.command_line",
    "tests.fixtures.database",
    "tests.fixtures.folder_times",
    "tests.fixtures.mail",
    "tests.fixtures.reconciling",
    "tests.fixtures.refunds",
    "tests.fixtures.stripe",
    "tests.fixtures.temporal",
    "tests.fixtures.time_limit",
]


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of the collecting of garbage: on a busy machine its pauses end workflows."""
    gc.collect()
    gc.freeze()
