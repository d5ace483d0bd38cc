"""docs/first-month.md, typed line by line by somebody who has the servers that it asks for."""

import shutil
from pathlib import Path

import pytest
import typer

from starter import app
from tests.house import documents
from tests.house.source import ROOT
from tests.walkthrough.carrying_out import first_difference, reader
from tests.walkthrough.page import parts_of
from tests.walkthrough.record import PAGE

MISSING = [program for program in ("bash", "curl") if shutil.which(program) is None]
needs_a_shell = pytest.mark.skipif(bool(MISSING), reason=f"the page is typed with {' and '.join(MISSING)}")


def test_every_command_of_the_readme_is_typed_in_the_first_month() -> None:
    program = typer.main.get_command(app)
    readme, page = (
        {
            documents.command_of(words, program)
            for _, words in documents.typed_commands(path.read_text(encoding="utf-8"))
        }
        for path in (ROOT / "README.md", PAGE)
    )

    assert readme - page == set()


@pytest.mark.slow
@pytest.mark.timeout(600)
@needs_a_shell
async def test_the_first_month_happens_as_its_page_says(tmp_path: Path) -> None:
    async with reader(tmp_path, in_process=True) as shell:
        assert await first_difference(shell, parts_of(PAGE.read_text(encoding="utf-8"))) == ""


@pytest.mark.nightly
@pytest.mark.timeout(600)
@needs_a_shell
async def test_the_first_month_happens_as_its_page_says_with_a_process_for_each_command(tmp_path: Path) -> None:
    async with reader(tmp_path, in_process=False) as shell:
        assert await first_difference(shell, parts_of(PAGE.read_text(encoding="utf-8"))) == ""
