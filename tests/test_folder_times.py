"""A run of the tests begins with the slowest files and says how long each folder took, with several processes too."""

import pytest

from tests.fixtures.file_order import files_in_order
from tests.fixtures.folder_times import document_with, folder_of
from tests.house.source import ROOT

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.nightly)])
def test_the_time_of_each_folder_is_printed_with_its_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib\nasyncio_default_fixture_loop_scope = session")
    pytester.makeconftest('pytest_plugins = ["tests.fixtures.folder_times"]')
    for folder, count in {"cards": 2, "runs": 1}.items():
        path = pytester.mkdir(folder) / "test_one.py"
        path.write_text("\n".join(f"def test_{number}(): assert {number} >= 0" for number in range(count)))

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", processes, f"--rootdir={pytester.path}")

    result.assert_outcomes(passed=3)
    result.stdout.re_match_lines_random([r"\s+\d+\.\d s +2 tests  cards", r"\s+\d+\.\d s +1 tests  runs"])


@pytest.mark.parametrize(
    ("node_id", "folder"),
    [
        ("tests/cards/test_card.py::test_one", "cards"),
        ("tests/ledger/cli/test_balances.py::test_one[a/b]", "ledger"),
        ("tests/test_docs.py::test_one", "(root)"),
    ],
)
def test_a_test_belongs_to_the_first_folder_below_the_tests(node_id: str, folder: str) -> None:
    assert folder_of(node_id) == folder


def test_kept_times_replace_those_of_the_run_before() -> None:
    text = "before\n<!-- times -->\nearlier\n<!-- /times -->\nafter\n"

    once = document_with(text, "| cards | 2 | 1.0 |\n", "2 tests.")

    assert "earlier" not in once
    assert "| cards | 2 | 1.0 |\n<!-- /times -->\nafter\n" in once
    assert document_with(once, "| cards | 2 | 1.0 |\n", "2 tests.") == once


def test_the_document_has_a_place_for_the_times() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")

    assert document_with(text, "| x | 1 | 1.0 |\n", "") != text


def test_files_with_slow_tests_come_first_and_then_those_with_the_most_tests() -> None:
    tests = [("one.py", False), ("two.py", False), ("two.py", False), ("slow.py", True), ("slower.py", True)]

    assert files_in_order([*tests, ("slower.py", True)]) == ["slower.py", "slow.py", "two.py", "one.py"]
