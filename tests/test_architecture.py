"""Who may import whom."""

from pathlib import Path

import pytest

from tests.house.function_calls import reads_in_text, unused_text_reads
from tests.house.imports import (
    RULES,
    forbidden_imports,
    foreign_imports_of_models,
    parts_of_workflows,
)
from tests.house.source import PACKAGES, modules, plant


def test_imports_point_one_way() -> None:
    assert forbidden_imports(modules()) == []


def test_models_need_the_standard_library_only() -> None:
    assert foreign_imports_of_models(modules()) == []


def test_a_replay_watches_what_defines_a_workflow_and_what_brings_one_in(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "workflows/runs/run.py": "from temporalio import workflow\nfrom workflows.parts import x\n"
            "@workflow.defn(name='Run')\nclass Run:\n    a = 1",
            "workflows/parts.py": "x = 1",
            "workflows/runs/child.py": "from workflows.runs.run import Run",
            "workflows/runs/views.py": "from workflows.parts import x",
        },
    )

    assert parts_of_workflows(modules(tmp_path)) == ["workflows.parts", "workflows.runs.views"]


def test_tables_are_read_through_their_types() -> None:
    assert reads_in_text(modules()) == []
    assert unused_text_reads(modules()) == []


@pytest.mark.parametrize(
    ("code", "tables"),
    [
        ('READ = "select id from duly.cards c join duly.accounts a on a.id = c.account_id"', ["cards", "accounts"]),
        ('READ = "select exists (select FROM\\n    duly.collections)"', ["collections"]),
        ('READ = f"select id from duly.cards where {1}"', ["cards"]),
        ('READ = "select * from duly.due_page(:run_id)"', []),
        ('READ = "update duly.cards set id = 1"', []),
    ],
)
def test_a_table_that_is_read_in_text_is_found(tmp_path: Path, code: str, tables: list[str]) -> None:
    plant(tmp_path, {"commands/one.py": code, "tests/test_one.py": code})

    found = reads_in_text(modules(tmp_path))

    assert [line.split(" in text")[0] for line in found] == [f"commands/one.py:1: reads {table}" for table in tables]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("models/money.py", "import stripe"),
        ("models/money.py", "import time"),
        ("models/money.py", "from models.tables import accounts"),
        ("models/money.py", "from models import tables"),
        ("activities/accounts.py", "from workflows.runs.payment_run import PaymentRun"),
        ("activities/accounts.py", "import stripe"),
        ("activities/accounts.py", "from settings import Settings"),
        ("activities/refunds/outcomes.py", "from activities.gateway.stripe_gateway import StripeGateway"),
        ("activities/gateway/attempts.py", "import stripe"),
        ("activities/gateway/bank_debits/debits.py", "from activities.gateway.translation import decline_of"),
        ("activities/accounts.py", "def later():\n    from sandbox.stack import running_stack"),
        ("workflows/payment_run.py", "from stripe import StripeClient"),
        ("workflows/payment_run.py", "import sqlalchemy.orm"),
        ("workflows/payment_run.py", "import psycopg"),
        ("workflows/payment_run.py", "import random"),
        ("workflows/payment_run.py", "import structlog"),
        ("workflows/payment_run.py", "import settings"),
        ("workflows/payment_run.py", "from temporalio.client import Client"),
        ("workflows/payment_run.py", "from models.tables.accounts import Account"),
        ("workflows/payment_run.py", "from activities import gateway"),
        ("workflows/payment_run.py", "from activities.database import make_engine"),
        ("worker.py", "from sandbox.stripe.control.client import SandboxControl"),
        ("webhook.py", "import sandbox"),
        ("webhook.py", "import stripe"),
        ("webhook.py", "from commands.ledger.accounts_cli import app"),
        ("commands/runs.py", "from worker import main"),
        ("commands/runs.py", "from web.app import build_app"),
        ("web/views/home.py", "from activities.gateway.pace import Pace"),
        ("web/views/home.py", "from sandbox.stack import running_stack"),
        ("commands/runs.py", "from tests.support.builders import an_invoice"),
        ("starter.py", "import bench"),
        ("bench/second_opinion/books.py", "from localstripe.resources import store"),
        ("migrations/versions/0001_ledger.py", "from activities.database import make_engine"),
    ],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, path: str, code: str) -> None:
    plant(tmp_path, {path: code})

    found = forbidden_imports(modules(tmp_path))

    assert found
    assert all(line.startswith(path) for line in found)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("models/money.py", "import pydantic"),
        ("models/money.py", "from sqlalchemy import text"),
        ("models/money.py", "from temporalio import workflow"),
        ("models/money.py", "from activities.accounts import AccountActivities"),
        ("models/tables/accounts.py", "import psycopg"),
    ],
)
def test_a_foreign_package_in_models_is_found(tmp_path: Path, path: str, code: str) -> None:
    plant(tmp_path, {path: code})

    assert len(foreign_imports_of_models(modules(tmp_path))) == 1


def test_what_the_design_allows_is_let_through(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "models/tables/accounts.py": "from sqlalchemy.orm import Mapped\nfrom models.money import Money",
            "activities/gateway/stripe_cards.py": "import stripe\nfrom models.money import Money",
            "workflows/client.py": "from temporalio.client import Client",
            "workflows/r.py": "from temporalio import workflow\nfrom activities.runs.billing import BillingActivities",
            "commands/demo.py": "from sandbox.stack import running_stack\nfrom settings import Settings",
            "starter.py": "from commands.operations.demo import app",
            "worker.py": "import workflows.refunds\nfrom activities.gateway.stripe_gateway import StripeGateway",
            "web/actions/runs.py": "from commands.runs.control import send_update",
            "console.py": "from web.app import build_app",
            "tests/test_worker.py": "import worker\nimport stripe",
            "bench/payments.py": "from worker import main",
        },
    )

    assert forbidden_imports(modules(tmp_path)) == []
    assert foreign_imports_of_models(modules(tmp_path)) == []


def test_every_rule_speaks_of_modules_that_exist() -> None:
    ours = {*PACKAGES, "console", "portal", "settings", "starter", "webhook", "worker"}

    named = {name.partition(".")[0] for rule in RULES for name in (*rule.importers, *rule.excepted)}

    assert named <= ours
