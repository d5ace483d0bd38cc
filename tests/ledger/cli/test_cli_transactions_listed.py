"""Finding transactions: filters, pages, and all of them at once."""

from tests.support.command_line import CommandLine
from tests.support.shop import Shop


async def ids(cli: CommandLine, *words: str) -> list[str]:
    return [one["id"] for one in (await cli.json("transactions", "list", *words))["transactions"]]


async def test_transactions_are_listed_newest_first_a_page_at_a_time(shop: Shop) -> None:
    await shop.account("a1")
    made = [(await shop.payment("a1", "1.00"))["id"] for _ in range(12)]

    first = await shop.cli.json("transactions", "list", "--limit", "5")
    second = await shop.cli.json("transactions", "list", "--limit", "5", "--after", first["next"])
    third = await shop.cli.json("transactions", "list", "--limit", "5", "--after", second["next"])

    pages = [one["id"] for page in (first, second, third) for one in page["transactions"]]
    assert pages == made[::-1]
    assert third["next"] is None


async def test_all_transactions_are_streamed_as_one_document(shop: Shop) -> None:
    await shop.account("a1")
    made = [(await shop.payment("a1", "1.00"))["id"] for _ in range(3)]

    assert await ids(shop.cli, "--all") == made[::-1]
    assert await ids(shop.cli, "--all", "--account", "a1") == made[::-1]


async def test_filters_narrow_by_account_classification_state_day_and_what_is_unsettled(shop: Shop) -> None:
    await shop.account("a1")
    await shop.account("a2")
    settled, open_one = await shop.invoice("a1", "10.00"), await shop.invoice("a1", "20.00")
    paid = await shop.payment("a1", "10.00", "--posted-on", "2026-05-21")
    draft = await shop.invoice("a2", "30.00", "--draft", "--issued-on", "2026-05-22")

    assert await ids(shop.cli, "--account", "a2") == [draft["id"]]
    assert await ids(shop.cli, "--classification", "payment") == [paid["id"]]
    assert await ids(shop.cli, "--state", "draft") == [draft["id"]]
    assert await ids(shop.cli, "--from", "2026-05-21", "--to", "2026-05-21") == [paid["id"]]
    assert await ids(shop.cli, "--unsettled") == [open_one["id"]]
    assert await ids(shop.cli, "--account", "a1", "--to", "2026-05-20") == [open_one["id"], settled["id"]]


async def test_a_transaction_is_found_by_id_number_and_reference_number(shop: Shop) -> None:
    await shop.account("a1")
    made = await shop.payment("a1", "1.00")

    found = [(await shop.shown(word))["id"] for word in (made["id"], made["number"], made["reference_number"])]

    assert found == [made["id"]] * 3


async def test_what_a_list_continues_behind_must_be_an_id(shop: Shop) -> None:
    said = await shop.cli("transactions", "list", "--after", "INV-0000000001", "--json")

    assert (said.exit_code, said.rules) == (2, [("--after", "usage")])
