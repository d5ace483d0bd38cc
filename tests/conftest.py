"""The servers and databases that tests ask for. Each starts when the first test asks for it, once."""

import gc
import os
import ssl
from collections import defaultdict
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

# A busy machine is no reason for a law to fail.
settings.register_profile("duly", deadline=None)
settings.load_profile("duly")


@cache
def _read_once(_environment: tuple[str, str], **asked: Any) -> ssl.SSLContext:
    return httpx.create_ssl_context(**asked)


def _shared_context(**asked: Any) -> ssl.SSLContext:
    return _read_once((os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")), **asked)


# Each HTTP client of a test would read the authorities of the machine anew, for some 30 ms of CPU.
pytest.MonkeyPatch().setattr("httpx._transports.default.create_ssl_context", _shared_context)

# What is collected stays: it is looked through once, when all is.
gc.disable()

pytest_plugins = [
    "tests.fixtures.cards",
    "tests.fixtures.collecting",
    "tests.fixtures.command_line",
    "tests.fixtures.database",
    "tests.fixtures.file_order",
    "tests.fixtures.folder_times",
    "tests.fixtures.mail",
    "tests.fixtures.reconciling",
    "tests.fixtures.refunds",
    "tests.fixtures.stripe",
    "tests.fixtures.temporal",
    "tests.fixtures.time_limit",
    "tests.fixtures.time_skipping",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the nightly run the cases of a table beyond the first so many, or beside those that are named."""
    tables: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("gate_cases"):
            function, _, case = item.nodeid.removesuffix("]").partition("[")
            cases = tables[function]
            cases.append(case)
            if not (case in marker.args if isinstance(marker.args[0], str) else len(cases) <= marker.args[0]):
                item.add_marker(pytest.mark.nightly)


# Files that run in one process for what they share there and each would make anew: the syntax trees of the whole
# project, and servers of a folder's own, whose clocks can be set.
READ_ALL = frozenset(f"tests/test_{name}.py" for name in ("architecture", "names", "packaging", "rooms", "shape"))
CLOCKS = "tests/gateway/clocks/"


class FilesInOneProcess(LoadFileScheduling):  # type: ignore[misc]
    """Hands out files of tests as `--dist loadfile` does, and those that share something dear as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file in READ_ALL:
            return "read all"
        return CLOCKS if file.startswith(CLOCKS) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesInOneProcess | None:
    """Replace the scheduler of `--dist loadfile`, and no other."""
    return FilesInOneProcess(config, log) if config.getoption("dist") == "loadfile" else None


# On a busy machine the SDK takes a whole collection of garbage in the middle of a workflow for a deadlock: garbage is
# collected between the files of tests. What is left then stays (the servers, what they loaded) and is not walked
# through again: to look through all of it after each file took a third of the tests' time.
NEVER = 1_000_000_000


def pytest_collection_finish() -> None:
    """Take over from the interpreter when all objects are looked through; the young ones are still its own."""
    gc.collect()
    gc.freeze()
    gc.enable()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect after the last test of a file."""
    if nextitem is not None and nextitem.path != item.path:
        gc.collect()
        gc.freeze()
