"""One word for each state: documents, enums, database, filters, workflows, views, metrics and logs have the same."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

import pytest

from activities.bank.debits.debit_answers import DebitBecame
from activities.bank.refund_confirmation import Became
from activities.database import Database
from commands.books.bills_cli import BillWord
from commands.operations.saved_views import VIEWS
from commands.payments.fraud_cli import BlockState, HoldState
from models.bank.bank_refunds import BankRefundsState
from models.bank.debit import DebitBatchState, DebitState
from models.bank.mandate import MandateState
from models.cards.card import CardState, ValidationOutcome
from models.collections.collection import Stage
from models.disputes.dispute import DisputeState
from models.gateway.events import EventState
from models.gateway.gateway_request import AttemptOutcome, RequestState
from models.ledger.account import AccountState
from models.ledger.transaction import LifeCycleState
from models.merchants.account import ConnectionState
from models.merchants.connection import CONNECTING
from models.messages.message import MessageState
from models.operations.bank_states import BANK_REFUND, BANK_REFUNDS, DEBIT, DEBIT_ANSWER, DEBIT_BATCH, MANDATE
from models.operations.event_names import EventName
from models.operations.ledger_states import ACCOUNT, BILL, TRANSACTION
from models.operations.payment_states import (
    ATTEMPT,
    CARD,
    CHARGE_BLOCK,
    CHARGE_HOLD,
    COLLECTION,
    DISPUTE,
    INTENT,
    PAYMENT,
    PAYMENT_REQUEST,
    REDUCTION,
    REFUND,
    REQUEST,
    VALIDATION,
)
from models.operations.record_states import (
    DISCREPANCY,
    EVENT,
    EVERY,
    LISTED,
    MERCHANT_CONNECTION,
    MESSAGE,
    RUN,
    RUN_MEMBER,
    SENDING,
)
from models.operations.states import States
from models.payments.state import FieldState, PaymentState
from models.reconciliation.discrepancy import DiscrepancyState
from models.recovery.recovery import SendingState
from models.reductions.reduction import ReductionState
from models.refunds.refund import RefundOutcome
from models.runs.process_run import ItemOutcome, RunState
from models.runs.run_control import RunStage
from telemetry.gauges import VALUES
from tests.house.source import ROOT
from tests.operations.lists import states_table
from tests.operations.test_cli_usage import commands
from workflows.cards.details import WHERE as OF_CARDS
from workflows.collections.details import WHERE as OF_COLLECTIONS
from workflows.disputes.dispute import WHERE as OF_DISPUTES
from workflows.merchants.details import WHERE as OF_MERCHANTS
from workflows.reductions.handlers import WHERE as OF_REDUCTIONS
from workflows.refunds.handlers import WHERE as OF_REFUNDS

ALL_WORDS = {word for states in EVERY for word in states.words}

# What the code calls a state, kind by kind.
ENUMS: Iterable[tuple[States, Iterable[StrEnum | str]]] = (
    (COLLECTION, Stage),
    (ATTEMPT, AttemptOutcome),
    (INTENT, PaymentState),
    (PAYMENT, RequestState),
    (REQUEST, FieldState),
    (REFUND, [*RequestState, *RefundOutcome]),
    (REDUCTION, ReductionState),
    (DISPUTE, DisputeState),
    (CARD, CardState),
    (VALIDATION, ValidationOutcome),
    (RUN, [*RunState, *(stage.word for stage in RunStage)]),
    (RUN_MEMBER, ItemOutcome),
    (DISCREPANCY, DiscrepancyState),
    (MESSAGE, MessageState),
    (EVENT, EventState),
    (TRANSACTION, LifeCycleState),
    (ACCOUNT, AccountState),
    (BANK_REFUND, Became),
    (CHARGE_BLOCK, BlockState),
    (CHARGE_HOLD, HoldState),
    (MANDATE, MandateState),
    (DEBIT, DebitState),
    (DEBIT_BATCH, DebitBatchState),
    (DEBIT_ANSWER, DebitBecame),
    (BANK_REFUNDS, BankRefundsState),
    (BILL, BillWord),
    (MERCHANT_CONNECTION, [*ConnectionState, CONNECTING]),
    (SENDING, SendingState),
)
# What log lines name beside states: beginnings, and what is no state of anything.
NO_STATES = frozenset({"started", "opened", "resolved", "goes_on"})
LOGGED: Mapping[str, States] = {
    "payment": ATTEMPT,
    "refund": REFUND,
    "dispute": DISPUTE,
    "discrepancy": DISCREPANCY,
    "collection": COLLECTION,
    "link": PAYMENT_REQUEST,
    "merchant": MERCHANT_CONNECTION,
    "run": RUN,
}
# What says nothing of one object's state.
NO_OBJECT = frozenset({"command", "events"})
# Lists that find by Temporal what the database does not know of their rows.
ASKS_TEMPORAL = frozenset({"runs"})
FILTERED = {
    "reconcile": "discrepancies",
    "fraud": "blocks",
}


def test_the_page_of_states_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == states_table.page()


@pytest.mark.parametrize(("states", "values"), ENUMS, ids=[states.name for states, _ in ENUMS])
def test_every_state_that_the_code_knows_has_its_word(states: States, values: Iterable[StrEnum | str]) -> None:
    words = {str(value) if str(value) in states.finer else states.word(str(value)) for value in values}
    unnamed = {states.word("")} if "" in states.stored else set()

    assert words | set(states.derived) | unnamed | set(states.finer) >= set(states.words) - {"open", "to_do"}
    assert words <= set(states.words)


async def test_every_value_that_the_database_takes_has_its_word(database: Database) -> None:
    for states in [one for one in EVERY if one.column]:
        table, column = states.column.split(".")
        taken = await values_of(database, table, column)
        named = {value for word in states.words for value in states.values(word)} - {""}
        assert named <= taken, states.name
        assert {states.word(value) for value in taken} <= set(states.words), states.name


async def values_of(database: Database, table: str, column: str) -> set[str]:
    """Return the values that a column may have, by its CHECK or its type."""
    checks = await database.rows(
        "select pg_get_constraintdef(oid) as definition from pg_constraint"
        " where conrelid = cast('duly.' || :table as regclass) and contype = 'c'",
        table=table,
    )
    found = [
        set(re.findall(r"'(\w+)'::text", row.definition)) for row in checks if f"(({column} = ANY" in row.definition
    ]
    if found:
        return max(found, key=len)
    labels = await database.rows(
        "select e.enumlabel from pg_enum e join pg_attribute a on a.atttypid = e.enumtypid"
        " where a.attrelid = cast('duly.' || :table as regclass) and a.attname = :column",
        table=table,
        column=column,
    )
    return {str(row.enumlabel) for row in labels}


def test_lists_are_filtered_by_the_words_that_rows_can_have() -> None:
    for words, command in commands():
        states = LISTED.get(FILTERED.get(words[0], words[0]))
        option = next((one for one in command.params if "--state" in one.opts), None)
        if words[-1] != "list" or states is None or option is None:
            continue
        choices = set(map(str, option.type_descriptor.annotation))
        finer = set() if words[0] in ASKS_TEMPORAL else set(states.finer) - set(states.derived)
        assert choices == set(states.words) - finer, words


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (COLLECTION, OF_COLLECTIONS),
        (CARD, OF_CARDS),
        (REFUND, OF_REFUNDS),
        (REDUCTION, OF_REDUCTIONS),
        (DISPUTE, OF_DISPUTES),
        (MERCHANT_CONNECTION, OF_MERCHANTS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_workflows_show_themselves_by_the_same_words(states: States, shown: Mapping[str, str]) -> None:
    assert set(map(str, shown)) <= set(states.words)


def test_views_ask_for_the_words_that_workflows_show() -> None:
    asked = {
        word
        for view in VIEWS
        for part in re.findall(r'Stage (?:NOT )?(?:=|IN) \(?("[^)]*?")(?:\)| |$)', view.query)
        for word in re.findall(r'"(\w+)"', part)
    }

    assert len(asked) > 10
    assert asked <= ALL_WORDS


def test_metrics_have_the_same_words() -> None:
    stages = {RunStage(stage).word if stage in set(RunStage) - set(Stage) else stage for stage in VALUES["stage"]}

    assert stages <= ALL_WORDS
    assert set(VALUES["state"]) <= ALL_WORDS


@pytest.mark.parametrize("name", EventName)
def test_log_lines_are_named_after_the_state_that_was_reached(name: EventName) -> None:
    noun, _, reached = name.partition("_")
    if noun in NO_OBJECT:
        return

    assert reached in {*LOGGED[noun].words, *NO_STATES}
