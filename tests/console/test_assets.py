"""What the pages take from others is what its hash says, and nothing else lies beside it."""

import hashlib

from sandbox.npm_assets import ROOT, listed


def test_every_copy_is_the_file_of_the_package_that_the_list_names() -> None:
    found = {file.copy: hashlib.sha256((ROOT / file.copy).read_bytes()).hexdigest() for file in listed()}

    assert found == {file.copy: file.sha256 for file in listed()}


def test_nothing_lies_beside_the_copies() -> None:
    folders = ("web/assets/vendored", "tests/console/vendored")
    there = {path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).iterdir()}

    assert there == {file.copy for file in listed()}
