"""A capability has a folder of its own in each layer: small, in the list, and reached by listed arrows only."""

from pathlib import Path

import pytest

from tests.house import rooms
from tests.house.source import ROOT, modules, plant


def test_no_folder_has_more_than_14_files() -> None:
    assert rooms.large_folders(ROOT) == []
    assert [folder for folder in rooms.LARGE_FOLDERS if not (ROOT / folder).exists()] == []


def test_the_folders_of_layers_functions_and_tests_are_capabilities() -> None:
    assert rooms.unknown_rooms(ROOT) == []


def test_capabilities_of_a_layer_import_each_other_along_listed_arrows_only() -> None:
    assert rooms.unlisted_arrows(modules()) == []
    assert rooms.unused_arrows(modules()) == []


def test_no_arrow_leads_by_way_of_a_layer_s_root() -> None:
    assert rooms.arrows_by_way_of_a_root(modules()) == []


def test_every_capability_has_code_tests_and_a_line_in_the_documents() -> None:
    documents = ("README.md", "docs/architecture.md")

    assert rooms.empty_rooms(ROOT) == []
    assert rooms.undocumented_rooms({name: (ROOT / name).read_text(encoding="utf-8") for name in documents}) == []


def test_no_arrows_lead_round_in_a_circle() -> None:
    assert rooms.circles(rooms.ARROWS) == []


def test_what_stands_at_a_layer_s_root_is_shared() -> None:
    assert rooms.misplaced_root_files(modules()) == []


def test_a_folder_of_15_files_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {f"activities/cards/part_{number}.py": "" for number in range(15)})
    plant(tmp_path, {f"models/cards/part_{number}.py": "" for number in range(14)} | {"models/cards/__init__.py": ""})

    plant(tmp_path, {f"telemetry/part_{number}.py": "" for number in range(15)})

    assert rooms.large_folders(tmp_path) == [
        "activities/cards: 15 files, at most 14",
        "telemetry: 15 files, at most 14",
    ]


@pytest.mark.parametrize("folder", ["workflows/carts", "migrations/functions/collecting", "tests/unit"])
def test_a_folder_that_is_no_capability_is_found(tmp_path: Path, folder: str) -> None:
    plant(tmp_path, {f"{folder}/one.py": "", "tests/house/two.py": "", "models/tables/three.py": ""})

    assert rooms.unknown_rooms(tmp_path) == [f"{folder}: is none of the capabilities"]


@pytest.mark.parametrize(
    "code",
    [
        "from models.runs.schedule import at",
        "import models.runs.schedule",
        "from models.runs import schedule",
        "from models import runs",
    ],
)
def test_an_import_beside_the_arrows_is_found(tmp_path: Path, code: str) -> None:
    plant(tmp_path, {"models/ledger/account.py": f"from models.money import Money\n{code}"})

    found = rooms.unlisted_arrows(modules(tmp_path))

    assert len(found) == 1
    assert found[0].endswith("models has no arrow from ledger to runs")


def test_an_arrow_that_nothing_needs_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"commands/refunds/cli.py": "from commands.runs.refund_runs import run"})

    assert "commands: nothing goes from ledger to imports any more" in rooms.unused_arrows(modules(tmp_path))
    assert "commands: nothing goes from refunds to runs any more" not in rooms.unused_arrows(modules(tmp_path))


def test_a_way_round_by_the_root_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "models/shared.py": "from models.runs.schedule import at",
            "models/workflow_inputs.py": "from models.cards.card import Card",
            "models/ledger/account.py": "from models.workflow_inputs import quoted",
            "workflows/inputs/starts.py": "from models.workflow_inputs import quoted",
        },
    )

    assert rooms.arrows_by_way_of_a_root(modules(tmp_path)) == [
        "models/ledger/account.py:1: imports models.workflow_inputs.quoted: no room imports what joins rooms",
        "models/shared.py:1: imports models.runs.schedule.at: what is shared knows no room",
    ]


def test_a_capability_without_code_tests_or_a_line_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {f"models/{each}/x.py": "" for each in rooms.CAPABILITIES - {"cards"}})
    plant(tmp_path, {f"tests/{each}/x.py": "" for each in rooms.CAPABILITIES - {"runs"}})

    assert rooms.empty_rooms(tmp_path) == ["cards: has no code", "runs: has no tests"]
    assert "README.md: cards" in rooms.undocumented_rooms({"README.md": "`runs` and cards"})
    assert "README.md: runs" not in rooms.undocumented_rooms({"README.md": "`runs` and cards"})


def test_a_circle_is_found() -> None:
    assert rooms.circles({"models": {"cards": ("runs",), "runs": ("ledger",), "ledger": ("cards",)}}) != []


def test_a_file_at_the_root_that_one_capability_needs_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "commands/views.py": "",
            "commands/plain.py": "",
            "commands/shared.py": "import commands.plain",
            "commands/operations/cli.py": "import commands.shared, commands.views",
            "commands/runs/cli.py": "from commands import shared",
            "models/cards/card.py": "from commands.shared import x",
            "workflows/client.py": "",
            "worker.py": "from workflows.client import connect",
        },
    )

    assert rooms.misplaced_root_files(modules(tmp_path)) == [
        "commands/views.py: is needed by operations; it belongs there"
    ]
