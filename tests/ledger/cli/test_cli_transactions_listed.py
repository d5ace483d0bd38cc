"""Finding transactions: filters, pages, and all of them at once."""

from tests.support.command_line import CommandLine
from tests.support.company import Company


async def ids(cli: CommandLine, *words: str) -> list[str]:
    return [one["id"] for one in (await cli.json("transactions", "list", *words))["transactions"]]


async def test_transactions_are_listed_newest_first_a_page_at_a_time(company: Company) -> None:
    await company.account("a1")
    made = [(await company.payment("a1", "1.00"))["id"] for _ in range(12)]

    first = await company.cli.json("transactions", "list", "--limit", "5")
    second = await company.cli.json("transactions", "list", "--limit", "5", "--after", first["next"])
    third = await company.cli.json("transactions", "list", "--limit", "5", "--after", second["next"])

    pages = [one["id"] for page in (first, second, third) for one in page["transactions"]]
    assert pages == made[::-1]
    assert third["next"] is None


async def test_all_transactions_are_streamed_as_one_document(company: Company) -> None:
    await company.account("a1")
    made = [(await company.payment("a1", "1.00"))["id"] for _ in range(3)]

    assert await ids(company.cli, "--all") == made[::-1]
    assert await ids(company.cli, "--all", "--account", "a1") == made[::-1]


async def test_filters_narrow_by_account_classification_state_day_and_what_is_unsettled(company: Company) -> None:
    await company.account("a1")
    await company.account("a2")
    settled, open_one = await company.invoice("a1", "10.00"), await company.invoice("a1", "20.00")
    paid = await company.payment("a1", "10.00", "--posted-on", "2026-05-21")
    draft = await company.invoice("a2", "30.00", "--draft", "--issued-on", "2026-05-22")

    assert await ids(company.cli, "--account", "a2") == [draft["id"]]
    assert await ids(company.cli, "--classification", "payment") == [paid["id"]]
    assert await ids(company.cli, "--state", "draft") == [draft["id"]]
    assert await ids(company.cli, "--from", "2026-05-21", "--to", "2026-05-21") == [paid["id"]]
    assert await ids(company.cli, "--unsettled") == [open_one["id"]]
    assert await ids(company.cli, "--account", "a1", "--to", "2026-05-20") == [open_one["id"], settled["id"]]


async def test_a_transaction_is_found_by_id_number_and_reference_number(company: Company) -> None:
    await company.account("a1")
    made = await company.payment("a1", "1.00")

    found = [(await company.shown(word))["id"] for word in (made["id"], made["number"], made["reference_number"])]

    assert found == [made["id"]] * 3


async def test_transactions_are_looked_up_by_a_back_office_code_or_a_payment_reference(company: Company) -> None:
    await company.account("a1")
    await company.account("a2")
    invoice = await company.invoice("a1", "10.00", "--back-office-code", "SAP-9")
    first = await company.payment("a1", "1.00", "--reference", "cheque 7")
    second = await company.payment("a2", "2.00", "--reference", "cheque 7")
    # Another may be called as a transaction is named: then it is that one.
    await company.payment("a2", "2.00", "--back-office-code", invoice["number"])
    several = await company.cli("transactions", "show", "cheque 7", "--json")

    assert (await company.shown("SAP-9"))["id"] == invoice["id"]
    assert (await company.shown(invoice["number"]))["id"] == invoice["id"]
    assert (several.exit_code, several.rules) == (1, [("transaction", "transaction_ambiguous")])
    assert all(one["number"] in several.stderr for one in (first, second))
    assert await ids(company.cli, "--reference", "cheque 7") == [second["id"], first["id"]]
    assert await ids(company.cli, "--reference", "cheque 7", "--account", "a1") == [first["id"]]
    assert await ids(company.cli, "--reference", "SAP-9") == [invoice["id"]]
    assert await ids(company.cli, "--reference", "SAP") == []


async def test_what_a_list_continues_behind_must_be_an_id(company: Company) -> None:
    result = await company.cli("transactions", "list", "--after", "INV-0000000001", "--json")

    assert (result.exit_code, result.rules) == (2, [("--after", "usage")])
