"""Statements in a ZIP file: each is imported as if it had come alone; a file that is too much is refused by name."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.bank.formats.zipped import FILES_MAX, files_in
from models.problem import RefusedError
from tests.bank.statements import document, entry, statement
from tests.support.company import Company


def zipped(folder: Path, *members: tuple[str, str | bytes]) -> Path:
    """Write a ZIP file of these members."""
    file = folder / "statements.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


def camt(reference: str, id: str) -> str:
    return document(statement(entry(reference, "20.00", text="cust-1001"), id=id))


async def test_each_statement_in_a_zip_file_is_imported_and_what_is_none_is_named(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    # The second statement has the reference of the first: banks count anew each day.
    file = zipped(
        tmp_path,
        ("2026/b.xml", camt("B1", "S2").replace("2026-05-20", "2026-05-21")),
        ("2026/a.xml", camt("B1", "S1")),
        ("__MACOSX/2026/._a.xml", b"\0"),
        ("readme.txt", "Your statements"),
    )

    first = await company.cli("import", "bank", str(file), "--json")
    again = json.loads((await company.cli("import", "bank", str(file), "--json")).stdout)

    imported = json.loads(first.stdout)
    assert first.exit_code == 1
    assert (imported["summary"]["posted"], again["summary"]["unchanged"]) == (2, 2)
    assert {one["source"] for one in imported["problems"]} == {"bank: readme.txt"}
    assert await company.balance("cust-1001") == -4000


def nested(folder: Path) -> Path:
    inner = zipped(folder, ("a.xml", "a")).read_bytes()
    return zipped(folder, ("inner.zip", inner))


def many(folder: Path) -> Path:
    return zipped(folder, *((f"{number}.xml", "a") for number in range(FILES_MAX + 1)))


def bomb(folder: Path) -> Path:
    return zipped(folder, ("zeros.xml", bytes(257 * 1024 * 1024)))


def damaged(folder: Path) -> Path:
    file = zipped(folder, ("a.xml", camt("B1", "S1")))
    content = bytearray(file.read_bytes())
    content[60:90] = bytes(30)
    file.write_bytes(content)
    return file


def empty(folder: Path) -> Path:
    return zipped(folder)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (nested, "zip_in_zip"),
        (many, "zip_files"),
        (bomb, "zip_size"),
        (damaged, "zip_readable"),
        (empty, "zip_holds_files"),
    ],
)
def test_a_zip_file_beyond_its_bounds_is_refused_by_name(
    tmp_path: Path, make: Callable[[Path], Path], rule: str
) -> None:
    file = make(tmp_path)

    with pytest.raises(RefusedError) as refused, files_in(file) as files:
        list(files)

    assert [one.rule for one in refused.value.problems] == [rule]


def test_a_members_name_is_no_path(tmp_path: Path) -> None:
    file = zipped(tmp_path, ("../../evil.xml", "a"), ("/etc/b.xml", "b"), ("c\\d.xml", "c"))

    with files_in(file) as files:
        folders = {one.parent.parent for one in files}
        assert [one.name for one in files] == ["evil.xml", "b.xml", "d.xml"]
        assert len(folders) == 1

    assert not any(folder.exists() for folder in folders)
