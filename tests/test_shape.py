"""What code may look like: each rule holds for the project, and finds what is planted."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.house import shape
from tests.house.source import ROOT, Module, modules, plant
from tests.house.tracked import tracked_texts

RULES: list[Callable[[Iterable[Module]], list[str]]] = [
    shape.long_functions,
    shape.unfinished_code,
    shape.inexact_numbers_in_models,
    shape.minor_units_that_are_not_int,
    shape.clocks_in_rules,
    shape.kept_state,
    shape.prints,
]

# Longer than the cap: a lock and all that is decided under it, or one statement with a branch for each kind. None is
# added.
LONG_SQL = """
accounts_meeting adopt_debit at_risk attempt_of_receivable batch_debits claim_message create_payment_request end_payout
evaluate_members import_cards match_movements next_move open_collection open_objects open_refund open_validation
order_payment receive_debits record_outcome recover_attempt require_alone resolve_discrepancy wallet_debit write_attempt
"""

LONG_FUNCTION = "def count():\n" + "    print(1)\n" * 50


def test_no_function_is_longer_than_50_lines() -> None:
    assert shape.long_functions(modules()) == []


def test_no_function_of_the_database_is_longer_but_those_that_are_known() -> None:
    assert sorted(shape.long_sql_functions(ROOT)) == LONG_SQL.split()


def test_no_file_is_longer_than_300_lines() -> None:
    assert shape.long_files(ROOT) == []


def test_nothing_is_left_unfinished() -> None:
    assert shape.unfinished_code(modules()) == []


def test_no_note_of_unfinished_work_is_kept_in_a_file() -> None:
    texts = [path for path in tracked_texts() if path.suffix != ".lock"]

    assert shape.unfinished_notes(texts, ROOT) == []


def test_no_float_comes_near_money() -> None:
    assert shape.inexact_numbers_in_models(modules()) == []
    assert shape.minor_units_that_are_not_int(modules()) == []


def test_models_and_workflows_read_no_clock() -> None:
    assert shape.clocks_in_rules(modules()) == []


def test_workflows_keep_no_state_in_their_modules() -> None:
    assert shape.kept_state(modules()) == []


def test_only_what_speaks_to_a_terminal_prints() -> None:
    assert shape.prints(modules()) == []


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        (shape.long_functions, "models/long.py", LONG_FUNCTION),
        (shape.long_functions, "workflows/long.py", LONG_FUNCTION.replace("def", "async def")),
        (shape.unfinished_code, "models/empty.py", "def later():\n    pass"),
        (shape.unfinished_code, "models/empty.py", "try:\n    x = 1\nexcept ValueError:\n    pass"),
        (shape.unfinished_code, "models/empty.py", "class Later:\n    async def run(self): ..."),
        (shape.unfinished_code, "models/empty.py", "def later():\n    raise NotImplementedError('soon')"),
        (shape.inexact_numbers_in_models, "models/money.py", "RATE = 0.2"),
        (shape.inexact_numbers_in_models, "models/money.py", "def half(x: float): return x"),
        (shape.inexact_numbers_in_models, "models/money.py", "half = float(1)"),
        (shape.inexact_numbers_in_models, "models/tables/x.py", "import sqlalchemy\nx = sqlalchemy.Float()"),
        (shape.minor_units_that_are_not_int, "activities/x.py", "class Payment:\n    amount_minor: float"),
        (
            shape.minor_units_that_are_not_int,
            "activities/x.py",
            "def pay(amount_minor: 'Decimal | None'): return 1",
        ),
        (shape.minor_units_that_are_not_int, "activities/x.py", "def total_minor() -> Decimal: return 1"),
        (shape.clocks_in_rules, "models/x.py", "import datetime\nnow = datetime.datetime.now()"),
        (shape.clocks_in_rules, "workflows/x.py", "from datetime import date\nday = date.today()"),
        (shape.kept_state, "workflows/x.py", "SEEN = {}\ndef note(x):\n    SEEN[x] = True"),
        (shape.kept_state, "workflows/x.py", "SEEN: list[str] = []\ndef note(x):\n    SEEN.append(x)"),
        (shape.kept_state, "workflows/x.py", "COUNT = 0\ndef note():\n    global COUNT\n    COUNT = 1"),
        (shape.kept_state, "workflows/x.py", "from functools import cache\n@cache\ndef read(x):\n    return x"),
        (shape.prints, "activities/x.py", "print('charged')"),
        (shape.prints, "worker.py", "print('started')"),
    ],
)
def test_what_breaks_a_rule_is_found(
    tmp_path: Path, rule: Callable[[Iterable[Module]], list[str]], path: str, code: str
) -> None:
    plant(tmp_path, {path: code})

    found = rule(modules(tmp_path))

    assert len(found) == 1
    assert found[0].startswith(f"{path}:")


def test_what_keeps_the_rules_is_let_through(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "models/money.py": "from typing import Protocol\nclass Clock(Protocol):\n    def now(self): ...",
            "models/payment.py": "def pay(amount_minor: int, *, wait_seconds: float): return 7 // 2",
            "workflows/run.py": "from temporalio import workflow\ndue = workflow.now()",
            "commands/runs.py": "print('3 charged')",
        },
    )

    assert [line for rule in RULES for line in rule(modules(tmp_path))] == []


@pytest.mark.parametrize("path", ["activities/long.py", "tests/unit/test_long.py", "migrations/functions/long.sql"])
def test_a_long_file_is_found(tmp_path: Path, path: str) -> None:
    plant(tmp_path, {path: "\n" * 301, "models/short.py": "\n" * 300})

    assert shape.long_files(tmp_path) == [f"{path}: 301 lines, at most 300"]


def test_a_long_function_of_the_database_is_found(tmp_path: Path) -> None:
    head = "create or replace function duly.{} returns void language sql as $$\n"
    long, short = head.format("long()") + "--\n" * 50 + "$$;\n", head.format("short()") + "--\n" * 48 + "$$;\n"
    plant(tmp_path, {"migrations/functions/runs/runs.sql": long + short})

    assert shape.long_sql_functions(tmp_path) == {"long": 52}


@pytest.mark.parametrize("word", ["todo".upper(), "fixme".upper()])
def test_a_note_of_unfinished_work_is_found(tmp_path: Path, word: str) -> None:
    plant(tmp_path, {"README.md": f"# Duly\n\n{word}: say more"})

    assert shape.unfinished_notes([tmp_path / "README.md"], tmp_path) == [f"README.md:3: {word}: say more"]


def test_nothing_in_production_is_unused() -> None:
    assert shape.unused_names(modules(), ROOT) == []


def test_what_nothing_uses_any_more_is_found(tmp_path: Path) -> None:
    kept = (
        "class Shown:\n    @property\n    def title(self): return used(LIMIT)\nLIMIT = 1\ndef used(given): return given"
    )
    gone = "MOST = 2\ndef unused(): return 1\nclass One:\n    @property\n    def head(self): return 1"
    plant(tmp_path, {"web/kept.py": kept, "web/page.html": "{{ shown.title }}", "models/one.py": gone})
    plant(tmp_path, {"tests/test_one.py": "from models.one import MOST, unused\nassert unused()"})

    assert shape.unused_names(modules(tmp_path), tmp_path) == [
        "models/one.py:1: nothing uses MOST",
        "models/one.py:2: nothing uses unused",
        "models/one.py:5: nothing uses head",
    ]
