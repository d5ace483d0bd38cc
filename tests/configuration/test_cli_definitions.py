"""Configuring a merchant with a document: idempotent, and refused whole when anything in it is wrong."""

from pathlib import Path

from tests.house.source import ROOT
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

EXAMPLE = str(ROOT / "docs" / "definitions.example.toml")
BILLING = '[[run_definitions]]\nid = "r"\nname = "R"\nkind = "billing"\n'
NUMBERED = '[[transaction_types]]\nid = "{}"\nprefix = "{}"\n'
PROVIDER = '[[providers]]\nid = "stripe"\nmode = "test"\ncurrencies = ["EUR"]\n'


NAMED = ("invoice", "payment", "refund")


def written(folder: Path, text: str) -> str:
    path = folder / "definitions.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


async def test_the_example_of_the_documents_applies(cli: CommandLine) -> None:
    result = await cli.json("definitions", "apply", EXAMPLE)
    listed = await cli.json("definitions", "list")

    changes = {(change["kind"], change["id"]): change["change"] for change in result["changes"]}
    assert changes["provider", "stripe"] == "created"
    assert changes["payment_method", "card"] == "unchanged"
    assert listed["providers"][0]["currencies"] == {"EUR": 100, "JPY": 50, "KWD": 10}
    assert [row["id"] for row in listed["run_definitions"]] == ["businesses", "monthly", "plans", "top_ups"]


async def test_applying_a_document_again_changes_nothing(cli: CommandLine) -> None:
    await cli.json("definitions", "apply", EXAMPLE)

    result = await cli.json("definitions", "apply", EXAMPLE)

    assert {change["change"] for change in result["changes"]} == {"unchanged"}


async def test_a_new_payment_method_is_allowed_on_payments_and_refunds(
    cli: CommandLine, tmp_path: Path, merchant: Merchant
) -> None:
    text = '[[payment_methods]]\nid = "card_abroad"\nname = "Card, abroad"\n' + PROVIDER.replace("stripe", "abroad")
    document = written(tmp_path, text + 'payment_methods = ["card_abroad"]\n')

    for _ in range(2):
        await cli.json("definitions", "apply", document)

    allowed = await merchant.run(
        "select id, cardinality(array_positions(allowed_methods, 'card_abroad')) as times from duly.transaction_types"
        " where allowed_methods is not null order by id"
    )
    assert [tuple(row) for row in allowed] == [
        ("payment", 1),
        ("payment_kept", 1),
        ("refund", 1),
        ("refund_returned", 1),
    ]


async def test_a_type_is_numbered_by_the_series_that_a_document_names(cli: CommandLine, tmp_path: Path) -> None:
    text = (
        NUMBERED.format("invoice", "INV")
        + "per_year = true\n"
        + NUMBERED.format("payment", "RCP")
        + "gap_free = true\n"
    )
    document = written(tmp_path, text + NUMBERED.format("refund", "REF"))

    first, second = [await cli.json("definitions", "apply", document) for _ in range(2)]
    listed = (await cli.json("definitions", "list"))["transaction_types"]

    assert [change["change"] for change in first["changes"]] == ["updated", "updated", "unchanged"]
    assert {change["change"] for change in second["changes"]} == {"unchanged"}
    assert [(row["prefix"], row["per_year"], row["gap_free"]) for row in listed if row["id"] in NAMED] == [
        ("INV", True, True),
        ("RCP", False, True),
        ("REF", False, False),
    ]


async def test_a_changed_policy_is_a_new_version(cli: CommandLine, tmp_path: Path, merchant: Merchant) -> None:
    await cli.json("definitions", "apply", written(tmp_path, '[[dunning_policies]]\nid = "firm"\nlocal_hour = 8\n'))

    await cli.json("definitions", "apply", written(tmp_path, '[[dunning_policies]]\nid = "firm"\nlocal_hour = 7\n'))

    versions = await merchant.run(
        "select version, document ->> 'local_hour' from duly.dunning_policies where id = 'firm'"
    )
    assert versions == [(1, "8"), (2, "7")]


async def test_a_segment_has_a_policy_of_its_own(cli: CommandLine, tmp_path: Path, merchant: Merchant) -> None:
    text = '[[dunning_policies]]\nid = "standard"\nsegment = "vip"\ndeclined_after = ["10 days"]\n'

    first, second = [await cli.json("definitions", "apply", written(tmp_path, text)) for _ in range(2)]

    assert [first["changes"][0]["change"], second["changes"][0]["change"]] == ["created", "unchanged"]
    versions = await merchant.run("select segment, version from duly.dunning_policies where id = 'standard' order by 1")
    assert versions == [("", 1), ("vip", 1)]


# Documents, and the field and rule by which each is refused.
FAULTS = [
    ('[[providers]\nid = "x"', "document", "toml"),
    ('[[gadgets]]\nid = "x"', "gadgets", "extra_forbidden"),
    (PROVIDER.replace("test", "tset"), "providers.0.mode", "literal_error"),
    (PROVIDER.replace('["EUR"]', '["EUR", "ZZZ"]'), "providers.0.currencies.1", "value_error"),
    (PROVIDER.replace('["EUR"]', '["EUR", "IRR"]'), "providers.0.currencies.1", "value_error"),
    (PROVIDER.replace('["EUR"]', "[]"), "providers.0.currencies", "too_short"),
    (PROVIDER + 'minimums = { EUR = "0.10" }\n', "providers.0", "value_error"),
    (PROVIDER + 'payment_methods = ["barter"]\n', "providers.0.payment_methods", "payment_method_exists"),
    (PROVIDER + PROVIDER, "document", "value_error"),
    ('[[products]]\nid = "a"\nname = "A"\ntax_rate = "none"', "products.0.tax_rate", "tax_rate_exists"),
    (NUMBERED.format("gift", "GFT"), "transaction_types.0.id", "transaction_type_exists"),
    (NUMBERED.format("payment", "pay"), "transaction_types.0.prefix", "string_pattern_mismatch"),
    (NUMBERED.format("payment", "INV"), "transaction_types.0.prefix", "prefix_of_classification"),
    (NUMBERED.format("invoice", "BIL"), "transaction_types.0.prefix", "prefix_of_classification"),
    (NUMBERED.format("invoice", "TRIED"), "transaction_types.0.prefix", "prefix_of_classification"),
    (
        NUMBERED.format("payment", "INV") + "per_year = true",
        "transaction_types.0.prefix",
        "prefix_of_classification",
    ),
    (
        NUMBERED.format("payment", "PAY") + "gap_free = true",
        "transaction_types.0.gap_free",
        "series_keeps_its_kind",
    ),
    (
        NUMBERED.format("invoice", "INV") + "gap_free = false",
        "transaction_types.0.gap_free",
        "series_keeps_its_kind",
    ),
    (
        NUMBERED.format("payment", "RCP") + NUMBERED.format("payment_kept", "RCP") + "gap_free = true",
        "transaction_types.1.gap_free",
        "series_keeps_its_kind",
    ),
    (NUMBERED.format("payment", "A") + NUMBERED.format("payment", "B"), "document", "value_error"),
    ('[[tax_rates]]\nid = "a"\nname = "A"\npercent = 101', "tax_rates.0.percent", "less_than_equal"),
    ('[[dunning_policies]]\nid = "p"\nretries = 3', "dunning_policies.0", "value_error"),
    ('[[dunning_policies]]\nid = "p"\nlocal_hour = 25', "dunning_policies.0.policy", "value_error"),
    ('[[run_definitions]]\nid = "r"\nname = "R"\nkind = "payment"', "run_definitions.0", "value_error"),
    (
        '[[run_definitions]]\nid = "r"\nname = "R"\nkind = "payment"\nprovider = "none"',
        "run_definitions.0.provider",
        "provider_exists",
    ),
    (
        '[[run_definitions]]\nid = "r"\nname = "R"\nkind = "billing"\ndunning_policy = "none"',
        "run_definitions.0.dunning_policy",
        "dunning_policy_exists",
    ),
    (
        PROVIDER + '[[run_definitions]]\nid = "r"\nname = "R"\nkind = "payment"\nprovider = "stripe"\n'
        'currencies = ["JPY"]',
        "run_definitions.0.currencies",
        "currency_of_provider",
    ),
    (
        BILLING + 'schedule = { day = 32, hour = 4, time_zone = "UTC" }',
        "run_definitions.0.schedule.day",
        "less_than_equal",
    ),
    (
        BILLING + 'schedule = { day = 1, hour = 4, time_zone = "Mars" }',
        "run_definitions.0.schedule",
        "value_error",
    ),
    (
        BILLING + 'schedule = { day = 28, hour = 2, minute = 30, time_zone = "Europe/Berlin" }',
        "run_definitions.0.schedule",
        "value_error",
    ),
]


async def test_a_document_with_a_fault_is_refused_whole(cli: CommandLine, tmp_path: Path) -> None:
    tax = '[[tax_rates]]\nid = "good"\nname = "Good"\npercent = 19\n'
    answers = []

    for text, _, _ in FAULTS:
        document = written(tmp_path, (tax if "tax_rates" not in text else "") + text)
        result = await cli("definitions", "apply", document, "--json")
        answers.append((text, result.exit_code, result.rules))
        assert (await cli.json("definitions", "list"))["tax_rates"] == [], text

    assert answers == [(text, 1, [(field, rule)]) for text, field, rule in FAULTS]


async def test_a_payment_method_has_one_provider(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    text = PROVIDER.replace("stripe", "other") + 'payment_methods = ["card"]\n'

    result = await cli("definitions", "apply", written(tmp_path, text), "--json")

    assert result.rules == [("providers.0.payment_methods", "one_provider_a_method")]


async def test_a_provider_with_customers_keeps_its_mode(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    await merchant.account()

    result = await cli("definitions", "apply", written(tmp_path, PROVIDER.replace('"test"', '"live"')), "--json")

    assert result.rules == [("providers.0.mode", "mode_is_fixed")]


async def test_a_run_definition_keeps_its_kind(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    text = '[[run_definitions]]\nid = "monthly"\nname = "R"\nkind = "billing"'

    result = await cli("definitions", "apply", written(tmp_path, text), "--json")

    assert result.rules == [("run_definitions.0.kind", "kind_is_fixed")]


async def test_the_tables_fit_100_columns(cli: CommandLine) -> None:
    await cli.json("definitions", "apply", EXAMPLE)

    result = await cli("definitions", "list")

    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "EUR from 1.00, JPY from 50, KWD from 0.010" in result.stdout


async def test_what_a_document_takes_from_a_provider_is_taken_away(
    cli: CommandLine, tmp_path: Path, merchant: Merchant
) -> None:
    both = PROVIDER.replace('["EUR"]', '["EUR", "JPY"]') + 'payment_methods = ["card", "wallet"]\n'
    await cli.json("definitions", "apply", written(tmp_path, both))

    first, second = [
        await cli.json("definitions", "apply", written(tmp_path, PROVIDER + 'payment_methods = ["card"]\n'))
        for _ in range(2)
    ]

    assert [one["changes"][0]["change"] for one in (first, second)] == ["updated", "unchanged"]
    assert await merchant.run("select currency from duly.provider_currencies") == [("EUR",)]
    assert await merchant.run("select payment_method_id from duly.provider_methods") == [("card",)]


async def test_a_method_moves_from_one_provider_to_another_in_one_document(
    cli: CommandLine, tmp_path: Path, merchant: Merchant
) -> None:
    await cli.json("definitions", "apply", written(tmp_path, PROVIDER + 'payment_methods = ["card"]\n'))

    moved = PROVIDER + PROVIDER.replace('"stripe"', '"abroad"') + 'payment_methods = ["card"]\n'
    await cli.json("definitions", "apply", written(tmp_path, moved))

    assert await merchant.run("select provider_id from duly.provider_methods") == [("abroad",)]


async def test_a_run_definition_keeps_its_schedule_unless_the_document_says_otherwise(
    cli: CommandLine, tmp_path: Path, merchant: Merchant
) -> None:
    scheduled = BILLING + 'schedule = { day = 1, hour = 4, time_zone = "UTC" }\n'
    stored = "select schedule ->> 'day' from duly.run_definitions where id = 'r'"
    await cli.json("definitions", "apply", written(tmp_path, scheduled))

    again = await cli.json("definitions", "apply", written(tmp_path, BILLING))
    kept = await merchant.value(stored)
    taken_away = await cli.json("definitions", "apply", written(tmp_path, BILLING + 'schedule = "none"\n'))

    assert (again["changes"][0]["change"], kept) == ("unchanged", "1")
    assert (taken_away["changes"][0]["change"], await merchant.value(stored)) == ("updated", None)


async def test_a_definition_is_switched_and_keeps_its_history_with_who_and_why(
    cli: CommandLine, tmp_path: Path, merchant: Merchant
) -> None:
    await cli.json("definitions", "apply", written(tmp_path, BILLING), "--actor", "paula", "--reason", "the first one")

    switched = await cli.json(
        "definitions", "switch", "r", "not_effective", "--actor", "maria", "--reason", "not this month"
    )
    again = await cli.json("definitions", "apply", written(tmp_path, BILLING))
    changes = (await cli.json("definitions", "history", "r"))["changes"]
    unknown = await cli("definitions", "switch", "nobody", "effective", "--json")

    assert (switched["change"], again["changes"][0]["change"]) == ("updated", "unchanged")
    assert [(change["actor"], change["reason"]) for change in changes] == [
        ("maria", "not this month"),
        ("paula", "the first one"),
    ]
    assert changes[0]["changes"] == {"state": {"was": "effective", "is": "not_effective"}}
    assert changes[1]["changes"]["name"] == {"was": None, "is": "R"}
    assert unknown.rules == [("definition", "run_definition_exists")]
