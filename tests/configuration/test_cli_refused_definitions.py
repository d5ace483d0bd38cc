"""A document that contradicts what is configured, or takes away what is used, is refused by name, and whole."""

from pathlib import Path

import pytest

from activities.database import Database, RuleBrokenError
from tests.support.command_line import CommandLine
from tests.support.company import Company

TYPE = '[[transaction_types]]\nid = "{}"\n'
ACCOUNT = '[[internal_accounts]]\nid = "{}"\nname = "A"\ncurrency = "{}"\n'
METHOD = '[[payment_methods]]\nid = "{}"\nname = "A"\n'
OUT_OF_USE = "active = false\n"

# What a document says of what there is, with the field and the rule by which it is refused.
FAULTS = [
    (TYPE.format("gift") + 'name = "Gift"', "transaction_types.0.id", "transaction_type_exists"),
    (
        TYPE.format("gift") + 'name = "Gift"\nclassification = "payment"',
        "transaction_types.0.payment_methods",
        "payment_methods_given",
    ),
    (
        TYPE.format("payment") + 'payment_methods = ["barter"]',
        "transaction_types.0.payment_methods",
        "payment_method_exists",
    ),
    (
        TYPE.format("invoice") + 'payment_methods = ["cash"]',
        "transaction_types.0.payment_methods",
        "methods_of_classification",
    ),
    (
        TYPE.format("invoice") + 'classification = "refund"',
        "transaction_types.0.classification",
        "classification_is_fixed",
    ),
    (TYPE.format("payment") + "default = false", "transaction_types.0.default", "default_type_exists"),
    (TYPE.format("payment") + "active = false", "transaction_types.0.default", "default_type_exists"),
    (TYPE.format("payment_kept") + "active = false", "transaction_types.0.active", "type_in_use"),
    (
        TYPE.format("payment") + "default = true\n" + TYPE.format("payment_kept") + "default = true",
        "transaction_types.1.default",
        "one_default_type",
    ),
    (
        '[[transaction_reasons]]\nid = "bad_debt"\nname = "Bad debt"\npurpose = "rejection"',
        "transaction_reasons.0.purpose",
        "purpose_is_fixed",
    ),
    ('[ledger]\ndue_date_rule = "never"', "ledger.due_date_rule", "due_date_rule_exists"),
    ('[ledger]\nwrite_off_product = "nothing"', "ledger.write_off_product", "product_exists"),
    (ACCOUNT.format("customer", "EUR"), "internal_accounts.0.id", "account_is_internal"),
    ("[card_rules]\naction_days = 2", "card_rules.card_rules.reminder_days", "reminder_before_the_end"),
]


async def test_a_document_that_contradicts_what_is_configured_is_refused_with_field_and_rule(
    company: Company, tmp_path: Path
) -> None:
    await company.account("customer")
    before = await company.cli.json("definitions", "list")

    found = {}
    for verb in ("diff", "apply"):
        for text, field, rule in FAULTS:
            refused = await company.cli("definitions", verb, written(tmp_path, text), "--json")
            found[verb, text, field, rule] = refused.rules

    assert {case: rules for case, rules in found.items() if rules != [case[2:]]} == {}
    assert await company.cli.json("definitions", "list") == before


def written(folder: Path, text: str) -> str:
    path = folder / "definitions.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


async def test_an_own_account_keeps_its_currency_and_is_closed_only_without_money(
    company: Company, tmp_path: Path
) -> None:
    await company.configure(ACCOUNT.format("canteen", "EUR"))
    await company.payment("canteen", "5.00")

    dollars = await company.refused("definitions", "apply", written(tmp_path, ACCOUNT.format("canteen", "USD")))
    closing = written(tmp_path, ACCOUNT.format("canteen", "EUR") + "active = false")
    with_money = await company.refused("definitions", "apply", closing)
    await company.invoice("canteen", "5.00")
    closed = await company.cli.json("definitions", "apply", closing)

    assert dollars == [("internal_accounts.0.currency", "currency_is_fixed")]
    assert with_money == [("internal_accounts.0.active", "system_account_empty")]
    assert closed["changes"][0]["change"] == "updated"


async def test_what_a_whole_table_no_longer_names_is_taken_away(cli: CommandLine, company: Company) -> None:
    await company.configure(
        '[[due_date_rules]]\nid = "old"\nnumber_of_days = 3\n'
        + METHOD.format("seashells")
        + ACCOUNT.format("own", "EUR")
        + '[[reminder_rules]]\nsegment = "vip"\ndays_before = [1]\n'
        + '[[card_networks]]\nbrand = "amex"\ndeclines_max = 4\ndays = 9'
    )
    kept = """
        whole = ["due_date_rules", "reminder_rules", "card_networks", "internal_accounts", "transaction_reasons"]
        [[due_date_rules]]
        id = "due_in_14_days"
        number_of_days = 14
        [[reminder_rules]]
        [[card_networks]]
        brand = "*"
        declines_max = 15
        days = 30
        [[transaction_reasons]]
        id = "duplicate"
        name = "Duplicate"
        purpose = "rejection"
    """

    applied = {(kind, id): str(change) for kind, id, change in (await company.configure(kept)).changes}
    again = await company.configure(kept)
    listed = await cli.json("definitions", "list")

    assert (
        applied["reminder_rule", "vip"]
        == applied["card_network", "amex"]
        == applied["card_network", "visa"]
        == "deleted"
    )
    assert applied["internal_account", "own"] == applied["transaction_reason", "bad_debt"] == "updated"
    assert applied["due_date_rule", "old"] == "updated"
    assert {str(change) for *_, change in again.changes} == {"unchanged"}
    assert [row["id"] for row in listed["due_date_rules"] if row["is_active"]] == ["due_in_14_days"]
    assert [row["brand"] for row in listed["card_networks"]] == ["*"]
    assert {row["id"] for row in listed["transaction_reasons"] if row["is_active"]} == {"duplicate"}
    assert listed["internal_accounts"][0]["state"] == "terminated"


async def test_what_is_used_is_not_taken_away(company: Company, tmp_path: Path) -> None:
    await company.configure(
        '[[due_date_rules]]\nid = "own"\nnumber_of_days = 3\n'
        + METHOD.format("seashells")
        + METHOD.format("beads")
        + TYPE.format("shell_payment")
        + 'name = "S"\nclassification = "payment"\npayment_methods = ["seashells"]'
    )
    await company.account("a1", due_date_rule_id="own")
    rules = 'whole = ["due_date_rules"]\n[[due_date_rules]]\nid = "due_in_14_days"\nnumber_of_days = 14\n'
    refused = {
        rules: ("due_date_rules.own.active", "due_date_rule_in_use"),
        rules.replace("due_in_14_days", "own"): ("due_date_rules.due_in_14_days.active", "due_date_rule_in_use"),
        METHOD.format("seashells") + OUT_OF_USE: ("payment_methods.0.active", "method_in_use"),
        '[[tax_rates]]\nid = "vat"\nname = "VAT"\npercent = 19\n' + OUT_OF_USE: (
            "tax_rates.0.active",
            "tax_rate_in_use",
        ),
        '[[products]]\nid = "bad_debt"\nname = "B"\n' + OUT_OF_USE: ("products.0.active", "product_in_use"),
        'whole = ["transaction_types"]\n' + TYPE.format("invoice"): (
            "transaction_types.credit_note.default",
            "default_type_exists",
        ),
        'whole = ["card_networks"]\n': ("card_networks.*", "part_in_use"),
        'whole = ["reminder_rules"]\n': ("reminder_rules.all segments", "part_in_use"),
    }

    found = {text: (await company.refused("definitions", "apply", written(tmp_path, text)))[0] for text in refused}
    freed = METHOD.format("seashells") + OUT_OF_USE + TYPE.format("shell_payment") + 'payment_methods = ["beads"]'
    applied = await company.configure(freed)

    assert found == refused
    assert [str(change) for *_, change in applied.changes] == ["updated", "updated"]


async def test_a_method_out_of_use_is_no_longer_allowed_and_is_again_when_it_is_back(company: Company) -> None:
    await company.account("a1")
    paying = ("transactions", "create", "payment", "a1", "--amount", "5.00", "--method", "cheque")

    await company.configure(METHOD.format("cheque") + OUT_OF_USE)
    refused = await company.refused(*paying)
    await company.configure(METHOD.format("cheque"))

    assert [rule for _, rule in refused] == ["method_exists"]
    assert (await company.cli.json(*paying))["transaction"]["state"] == "posted"


async def test_a_rule_keeps_room_for_the_credit_periods_of_its_accounts(company: Company, tmp_path: Path) -> None:
    rule = (
        '[[due_date_rules]]\nid = "agreed"\nnumber_of_days = 20\n'
        'proximity_operator = "plus_minus"\nproximity_days = {}\n'
    )
    await company.configure(rule.format(10))
    await company.account("a1", due_date_rule_id="agreed", credit_period_days=7)
    await company.account("a2", credit_period_days=9)

    narrow = await company.refused("definitions", "apply", written(tmp_path, rule.format(5)))
    for_all = rule.format(8) + '[ledger]\ndue_date_rule = "agreed"\n'
    for_others = await company.refused("definitions", "apply", written(tmp_path, for_all))
    await company.configure(rule.format(9) + '[ledger]\ndue_date_rule = "agreed"\n')

    assert narrow == for_others == [("due_date_rules.0.proximity_days", "credit_periods_fit")]
    # 20 days after the 20th of May, and nine more.
    assert (await company.invoice("a2"))["due_on"] == "2026-06-18"


async def test_a_conflict_of_an_older_release_stands_in_no_documents_way(company: Company) -> None:
    await company.run("update duly.payment_methods set is_active = false where id = 'card'")

    applied = await company.configure("[refund_rules]\nwatch_days = 40")

    assert applied.version == 2


@pytest.mark.parametrize("kind", ["products", "tax_rates", "nothing_of_the_kind"])
async def test_a_kind_of_which_nothing_is_taken_away_is_refused_by_name(database: Database, kind: str) -> None:
    with pytest.raises(RuleBrokenError, match=kind) as refused:
        await database.call("take_away_configuration", kind=kind, id="one")

    assert refused.value.type == "kind_is_taken_away"


async def test_a_rate_keeps_the_category_that_posted_lines_have_by_it(company: Company, tmp_path: Path) -> None:
    rate = '[[tax_rates]]\nid = "untaxed"\nname = "None"\npercent = 0\n'
    reverse, exempt = f'{rate}category = "AE"\n', f'{rate}category = "E"\nexemption = "§ 4 Nr. 8 UStG"\n'
    charged = rate.replace("percent = 0", "percent = 19")
    line = ("--line", "product=plan,price=5,tax_rate=untaxed")
    await company.account("a1")
    draft = await company.configure(exempt), await company.create("invoice", "a1", *line, "--draft")

    # A draft says nothing yet, and what has said nothing may say it.
    changes = [(await company.configure(one)).changes[0][2] for one in (rate, exempt, rate)]
    await company.create("invoice", "a1", *line)
    changes += [(await company.configure(reverse)).changes[0][2], (await company.configure(reverse)).changes[0][2]]
    refused = [await company.refused("definitions", "apply", written(tmp_path, one)) for one in (exempt, rate, charged)]

    assert draft[1]["number"] is None
    assert [str(change) for change in changes] == ["updated", "updated", "updated", "updated", "unchanged"]
    assert refused == [[("tax_rates.0.category", "tax_category_stands")]] * 3
