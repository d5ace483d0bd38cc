"""Scenario 2: Company ZX cancels posted invoices that were created by error (F121)."""

from tests.support.shop import Shop


async def test_a_cancelled_invoice_stays_for_reference_without_affecting_the_balance(shop: Shop) -> None:
    await shop.account("a1")
    invoice = await shop.invoice("a1")

    said = await shop.cli.json(
        "transactions", "cancel", invoice["number"], "--type", "invoice_posted_by_error", "--reason", "Wrong customer"
    )
    cancelled, cancellation = await shop.shown(invoice["id"]), said["transaction"]

    assert (cancelled["state"], await shop.balance("a1")) == ("cancelled", 0)
    assert (cancellation["number"], cancellation["total_minor"]) == ("ICN-0000000001", 10000)
    assert (cancellation["type_id"], cancellation["issue_reason"]) == ("invoice_posted_by_error", "Wrong customer")
    assert cancellation["counterpart_id"] == invoice["id"]


async def test_what_had_paid_the_invoice_settles_the_next_one(shop: Shop) -> None:
    await shop.account("a1")
    wrong = await shop.invoice("a1")
    await shop.payment("a1", "100.00")
    right = await shop.invoice("a1")

    await shop.cli.json("transactions", "cancel", wrong["id"])

    assert (await shop.shown(right["id"]))["is_settled"] is True


async def test_an_invoice_is_cancelled_once(shop: Shop) -> None:
    await shop.account("a1")
    invoice = await shop.invoice("a1")
    await shop.cli.json("transactions", "cancel", invoice["id"], "--key", "once")

    again = await shop.cli.json("transactions", "cancel", invoice["id"], "--key", "once")

    assert again["transaction"]["number"] == "ICN-0000000001"
    assert await shop.refused("transactions", "cancel", invoice["id"]) == [("transaction", "posted_only")]


async def test_a_payment_posted_by_error_reopens_what_it_had_settled(shop: Shop) -> None:
    await shop.account("a1")
    invoice = await shop.invoice("a1")
    payment = await shop.payment("a1", "100.00")

    said = await shop.cli.json("transactions", "cancel", payment["id"], "--reason", "Typed twice")

    assert (said["transaction"]["number"], said["balance_minor"]) == ("PCN-0000000001", 10000)
    assert (await shop.shown(invoice["id"]))["unsettled_minor"] == 10000
