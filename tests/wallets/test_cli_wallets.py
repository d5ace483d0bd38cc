"""`wallets`: what an account has paid in advance, as a person credits, spends and shows it."""

from pathlib import Path
from typing import Any

import pytest

from activities.configuration.document_parts.wallet_document import WalletTopUp
from tests.support.company import Company
from tests.wallets.conftest import WALLETS

RULE = """
[[products]]
id = "by_itself"
name = "Wallet top-up by itself"
ledger_account = "wallet_top_ups"

[[wallet_top_ups]]
currency = "EUR"
below = "10.00"
amount = "20.00"
type = "top_up"
product = "by_itself"
"""
LIMIT = '[[wallet_limits]]\ncurrency = "EUR"\nmaximum = "100.00"\n'
WHO = ("--actor", "ann", "--reason", "as agreed")


@pytest.fixture
async def prepaid(company: Company) -> Company:
    """A company with wallets, and an account in euros."""
    await company.configure('[[tax_rates]]\nid = "standard"\nname = "Standard"\npercent = 19\n' + WALLETS)
    await company.account("a1")
    return company


async def test_a_wallet_is_credited_once_under_its_id_and_shown_with_who_and_why(prepaid: Company) -> None:
    words = ("wallets", "credit", "a1", "50.00", "--type", "top_up", "--id", "order-1", *WHO)

    made = (await prepaid.cli.json(*words))["wallet_transaction"]
    again = (await prepaid.cli.json(*words))["wallet_transaction"]

    assert (made["number"], made["amount_minor"], made["balance_after_minor"]) == ("WAL-0000000001", 5000, 5000)
    assert again == made
    wallet = await prepaid.cli.json("wallets", "show", "a1")
    assert (wallet["balance_minor"], wallet["maximum_minor"]) == (5000, 10000)
    assert [(one["number"], one["left_minor"]) for one in wallet["credits"]] == [("WAL-0000000001", 5000)]
    [row] = (await prepaid.cli.json("wallets", "statement", "a1"))["transactions"]
    assert (row["documents"], row["actor"], row["reason"]) == (["INV-0000000001"], "ann", "as agreed")
    assert await prepaid.balance("a1") == 5000


async def test_an_invoice_is_paid_from_the_wallet_and_owed_again_when_that_is_voided(prepaid: Company) -> None:
    await prepaid.cli("wallets", "credit", "a1", "50.00", "--type", "present", *WHO)
    invoice = await prepaid.invoice("a1", "20.00")

    words = ("wallets", "debit", "a1", "20.00", "--type", "spend", "--invoice", invoice["number"], *WHO)
    paid = (await prepaid.cli.json(*words))["wallet_transaction"]
    assert (await prepaid.balance("a1"), paid["balance_after_minor"]) == (0, 3000)

    voided = await prepaid.cli.json("wallets", "void", paid["number"], "--id", "v1", "--yes", *WHO)
    assert (await prepaid.balance("a1"), voided["wallet_transaction"]["balance_after_minor"]) == (2000, 5000)
    shown = (await prepaid.cli("wallets", "statement", "a1")).stdout
    assert all(text in shown for text in ("WAL-0000000002", "PAY-0000000001", "PCN-0000000001"))


async def test_a_payment_for_subscriptions_says_what_lies_in_the_wallet_of_it(prepaid: Company) -> None:
    words = ("wallets", "pay", "a1", "20.00", "--method", "cash", "--type", "top_up", "--id", "order-2", *WHO)

    paid = await prepaid.cli.json(*words)

    assert (paid["number"], paid["wallet_transaction"]["amount_minor"]) == ("PAY-0000000001", 2000)
    assert await prepaid.cli.json(*words) == paid
    assert await prepaid.refused(*words[:-6], "--service", "none", *WHO) == [("service", "service_of_account")]


async def test_what_makes_no_sense_names_its_field_and_rule(prepaid: Company) -> None:
    top_up = ("--type", "top_up", *WHO)

    assert await prepaid.refused("wallets", "debit", "a1", "1", "--type", "spend", *WHO) == [
        ("amount", "wallet_never_negative")
    ]
    assert await prepaid.refused("wallets", "credit", "a1", "100.01", *top_up) == [("amount", "wallet_limit")]
    assert await prepaid.refused("wallets", "credit", "a1", "1.234", *top_up) == [("amount", "amount_format")]
    assert await prepaid.refused("wallets", "credit", "a1", "1", "--type", "spend", *WHO) == [
        ("type", "wallet_type_exists")
    ]
    assert await prepaid.refused("wallets", "credit", "none", "1", *top_up) == [("account", "account_exists")]
    assert await prepaid.refused("wallets", "void", "WAL-1", "--yes", *WHO) == [
        ("wallet_transaction", "wallet_transaction_exists")
    ]


async def test_expiry_is_booked_at_once_when_it_is_asked_for(prepaid: Company) -> None:
    assert await prepaid.cli.json("wallets", "expire", *WHO) == {"expired": 0}


async def test_the_configuration_of_wallets_is_exported_as_it_was_applied(prepaid: Company) -> None:
    exported = await prepaid.cli.json("definitions", "export", "--json")

    film = next(one for one in exported["wallet_transaction_types"] if one["id"] == "film")
    assert (film["product"], film["payment_method"], film["direction"]) == ("film", "prepaid", "debit")
    assert exported["wallet_limits"] == [{"currency": "EUR", "maximum": "100.00"}]
    assert "wallet_clearing" in (await prepaid.cli("definitions", "list")).stdout


async def test_a_type_that_contradicts_the_configuration_is_refused(prepaid: Company, tmp_path: Path) -> None:
    cases = (
        ("product", 'direction = "credit"\nproduct = "plan"', "product_of_wallets"),
        ("product", 'direction = "debit"\nproduct = "top_up"\npayment_method = "prepaid"', "product_of_wallets"),
        ("payment_method", 'direction = "debit"\npayment_method = "cash"', "method_of_wallets"),
        ("funded_by", 'direction = "credit"\nproduct = "top_up"\nfunded_by = ["refund"]', "transaction_type_exists"),
        ("funded_by", 'direction = "credit"\nproduct = "top_up"\nfunded_by = ["wallet_payment"]', "one_type_funded_by"),
        ("books_expiry", 'direction = "debit"\nledger_account = "revenue"\nbooks_expiry = true', "one_type_of_expiry"),
    )

    for field, document, rule in cases:
        path = tmp_path / "wallets.toml"
        path.write_text(f'[[wallet_transaction_types]]\nid = "other"\nname = "Other"\n{document}\n', encoding="utf-8")
        printed = await prepaid.cli("definitions", "apply", str(path), "--json", *WHO)
        assert printed.rules == [(f"wallet_transaction_types.0.{field}", rule)]


async def test_the_product_of_a_top_up_stays_what_it_is_while_a_type_uses_it(prepaid: Company) -> None:
    with pytest.raises(Exception, match="product_in_use"):
        await prepaid.configure(
            '[[products]]\nid = "top_up"\nname = "Wallet top-up"\nactive = false\nledger_account = "wallet_clearing"\n'
        )


async def test_reports_tie_to_the_ledger_with_wallets_in_it_and_an_account_gives_out_its_wallet(
    prepaid: Company,
) -> None:
    await prepaid.cli("wallets", "credit", "a1", "50.00", "--type", "top_up", *WHO)
    await prepaid.cli("wallets", "debit", "a1", "11.90", "--type", "film", *WHO)

    for report in ("transactions", "revenue-by-product", "receipts", "ledger", "wallets", "wallets-by-account"):
        printed = await prepaid.cli("reports", "run", report, "--from", "2026-01-01", "--json")
        assert printed.exit_code == 0, (report, printed.stdout, printed.stderr)

    kept = await prepaid.cli.json("accounts", "export", "a1", "--json")
    assert [one["number"] for one in kept["wallet"]] == ["WAL-0000000001", "WAL-0000000002"]


async def test_an_account_switches_its_top_up_on_and_the_wallet_says_when_it_is_topped_up(prepaid: Company) -> None:
    words = ("wallets", "top-up", "a1", "--on", *WHO)
    refused = await prepaid.cli(*words, "--json")
    assert refused.rules == [("account", "wallet_top_up_rule")]
    await prepaid.configure(RULE)

    assert (await prepaid.cli.json(*words))["is_changed"] is True
    assert (await prepaid.cli.json(*words))["is_changed"] is False

    shown = (await prepaid.cli("wallets", "show", "a1")).stdout
    assert "by 20.00 EUR below 10.00 EUR, at most 4 times a month" in " ".join(shown.split())
    [kept] = (await prepaid.cli.json("accounts", "export", "a1", "--json"))["changes"][-1:]
    assert (kept["changes"], kept["actor"]) == ({"wallet_top_up": {"is": True, "was": None}}, "ann")
    exported = await prepaid.cli.json("definitions", "export")
    assert exported["wallet_top_ups"][0]["below"] == "10.00"


async def test_a_rule_of_top_ups_that_contradicts_the_configuration_is_refused(
    prepaid: Company, tmp_path: Path
) -> None:
    cases = (
        ("product", RULE.replace('product = "by_itself"', 'product = "top_up"'), "product_of_top_ups"),
        ("type", RULE.replace('type = "top_up"', 'type = "present"'), "wallet_type_is_invoiced"),
        ("type", RULE.replace('type = "top_up"', 'type = "spend"'), "wallet_type_exists"),
        ("amount", RULE.replace("20.00", "120.00") + LIMIT, "wallet_limit"),
    )

    for field, document, rule in cases:
        path = tmp_path / "top_ups.toml"
        path.write_text(document, encoding="utf-8")
        printed = await prepaid.cli("definitions", "apply", str(path), "--json", *WHO)
        assert printed.rules == [(f"wallet_top_ups.0.{field}", rule)]
    await prepaid.configure(RULE)
    with pytest.raises(Exception, match="wallet_type_in_use"):
        await prepaid.configure(
            '[[wallet_transaction_types]]\nid = "top_up"\nname = "Top-up"\ndirection = "credit"\nproduct = "top_up"\n'
            "active = false\n"
        )


def test_a_top_up_is_an_amount_that_a_card_can_be_charged() -> None:
    rule: dict[str, Any] = {"currency": "KWD", "below": "5.005", "type": "top_up", "product": "by_itself"}

    assert WalletTopUp(amount="20.010", **rule).amount_minor == 20010
    with pytest.raises(ValueError, match=r"amount: the gateway takes KWD in steps of 0\.010 KWD"):
        WalletTopUp(amount="20.005", **rule)
