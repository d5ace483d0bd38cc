"""`python -m tests.walkthrough.record`: carries out docs/first-month.md and writes what its commands write now."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.house.source import ROOT
from tests.walkthrough.carrying_out import reader, recorded
from tests.walkthrough.page import parts_of, rewritten

PAGE = ROOT / "docs" / "first-month.md"


async def record(folder: Path) -> None:
    """Write the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    async with reader(folder, in_process=True) as shell:
        steps = await recorded(shell, parts_of(text))
    PAGE.write_text(rewritten(text, steps), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="first-month-") as _folder:
        asyncio.run(record(Path(_folder)))
