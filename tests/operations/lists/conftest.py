"""A company on which every list has something to show."""

from pathlib import Path

import pytest

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.reductions.reduction import Award
from tests.bank.statements import csv_statement
from tests.house.source import ROOT
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine

# Ids as long as the gateway makes them, and texts that leave little room for them.
BESIDES = """
    insert into duly.gateway_events (id, provider_id, type, subject, object_id, state, created_at, next_try_at)
    values ('evt_1SXh2eJkLmNoPqRsTuVwXyZa', 'stripe', 'charge.dispute.funds_withdrawn', 'dispute',
        'du_1SXh2eJkLmNoPqRsTuVwXyZa', 'waiting', now(), now() + interval '1 hour');
    insert into duly.messages (id, kind, account_id, period, state)
    values ('card_needed/' || :account || '/2026-10', 'card_needed', :account, '2026-10', 'failed');
    insert into duly.discrepancies (provider_id, kind, object)
    values ('stripe', 'differs', 'ch_1SXh2eJkLmNoPqRsTuVwXyZa');
    insert into duly.gateway_requests (id, kind, provider_id, account_id, of_request_id, amount_minor, currency,
        gateway_reference)
    select 'rf_1SXh2eJkLmNoPqRsTuVwXyZa', 'refund', 'stripe', :account, id, 100, 'EUR', 're_1SXh2eJkLmNoPqRsTuVwXyZa'
    from duly.gateway_requests where account_id = :account and kind = 'payment';
    insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status)
    select 'du_1SXh2eJkLmNoPqRsTuVwXyZa', 'stripe', id, :account, 100, 'EUR', 'open', 'needs_response'
    from duly.gateway_requests where account_id = :account and kind = 'payment';
    select duly.expect_movement('stripe', 're_1SXh2eJkLmNoPqRsTuVwXyZa', 'refund', :account, 'ft_1', -100, 'EUR');
    insert into duly.process_runs (id, definition_id, kind, period)
    values ('run/cards_of_everybody_in_the_euro_area/2026-09', 'monthly', 'payment', '2026-09');
    insert into duly.refund_runs (id, provider_id, day, members)
    values ('refunds/stripe/2026-10-01', 'stripe', '2026-10-01', 1);
    insert into duly.refund_run_items (run_id, member_id, kind, account_id, currency, amount_minor, refund_ids)
    values ('refunds/stripe/2026-10-01', 'credit/' || :account, 'credit', :account, 'EUR', 100,
        array['rf_1SXh2eJkLmNoPqRsTuVwXyZa']);
    insert into duly.users (id, role) values ('maria@example.com', 'accountant');
    insert into duly.approvals (id, action, kind, subject, account_id, amount_minor, currency, fields, asked_by,
        asked_because, expires_at) values ('apv_' || repeat('0', 32), 'transactions/write-off', 'write_off', 'ft_1',
        :account, 100, 'EUR', '{}', 'maria@example.com', 'insolvent', now() + interval '1 day');
    insert into duly.providers (id, gateway, mode) values ('sepa', 'sepa_debit', 'test');
    insert into duly.creditors values ('sepa', 'Company ZX', 'NL91ABNA0417164300', '', 'DE98ZZZ09999999999', 'CORE',
        '08', 14, 1, '12:00', 'Europe/Berlin');
    insert into duly.mandates (id, account_id, provider_id, preference_id, payer_name, iban, state, signed_on)
    select 'MANDATE-OF-2026/0000001', :account, 'sepa', id, 'Ann', 'DE89370400440532013000', 'active', '2026-05-20'
    from duly.payment_preferences where account_id = :account limit 1;
    insert into duly.debits (request_id, attempt, idempotency_key, provider_id, mandate_id, account_id, amount_minor,
        currency, collect_on)
    select id, 1, 'listed', 'sepa', 'MANDATE-OF-2026/0000001', :account, 100, 'EUR', '2026-06-10'
    from duly.gateway_requests where account_id = :account and kind = 'payment';
    insert into duly.payment_methods (id, name, ledger_account) values ('gift', 'Voucher', 'voucher_clearing');
    insert into duly.voucher_types (id, name, ledger_account, payment_method_id)
    values ('promotion', 'Promotion', 'reward_expense:vouchers', 'gift');
    select duly.issue_vouchers('listed', 'promotion', 500, 'EUR', array[repeat('0', 64)]);
    insert into duly.sellers (id, name, street, postal_code, city, country, vat_id)
    values ('house', 'Company ZX', 'Main Street 1', '10115', 'Berlin', 'DE', 'DE123456789');
    insert into duly.debit_batches (id, provider_id, creditor, decisions)
    select 'DDB-1', 'sepa', to_jsonb(c), '{}' from duly.creditors c where c.id = 'sepa';
    insert into duly.approvals (id, action, kind, subject, amount_minor, currency, fields, asked_by, asked_because,
        expires_at) values ('apv_' || repeat('1', 32), 'debit-files/release', 'debit_file', 'DDB-1', 100, 'EUR', '{}',
        'maria@example.com', 'monthly', now() + interval '1 day');
    select duly.create_refund('refund:2026-10:' || :account, :account, 1, 'EUR', 'bank_transfer', p_draft => true);
    select duly.block_charges('account', :account, null, 'maria', 'takes back every payment');
    insert into duly.charge_holds (account_id, period, amount_minor, currency, provider_id, rule_id, because)
    values (:account, '2199-01', 100, 'EUR', 'stripe', 'large', 'above');
    select duly.make_bill(id, to_char(now() at time zone time_zone, 'YYYY-MM'), 'maria')
    from duly.accounts where id = :account
"""


@pytest.fixture
async def busy(
    merchant: Merchant, cli: CommandLine, workers: None, database: Database, period: str, tmp_path: Path
) -> list[str]:
    """A company on which every list has something to show; return its accounts, which no other test has."""
    accounts = [
        await merchant.account(
            f"acc_{period}_{number}",
            answers=[declined("insufficient_funds")],
            answers_for_ever=True,
            owes_minor=1000 * number,
        )
        for number in (1, 2, 3)
    ]
    for account in accounts:
        await cli.json("collections", "start", account, period)
    asked = ("--title", "Repair", "--amount", "5.00", "--no-mail", "--id", f"pr-{period}")
    await cli.json("payment-requests", "create", accounts[0], *asked, "--actor", "maria", "--reason", "as agreed")
    await cli.json("merchants", "apply", str(ROOT / "docs" / "merchants.example.toml"))
    await open_reduction(database, Award("aw_listed", "cafe", accounts[0], 100, "EUR"))
    for statement in BESIDES.split(";"):
        await merchant.run(statement, **({"account": accounts[0]} if ":account" in statement else {}))
    await merchant.subscription(accounts[0], price_minor=100)
    statement = csv_statement(tmp_path, ["B1,2026-05-20,1.00,EUR,,,whose is it,,"])
    await cli.json("import", "bank", statement)
    return accounts
