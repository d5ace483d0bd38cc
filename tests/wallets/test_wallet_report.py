"""What reports read of wallets: each movement is one kind of thing, and all of them are the wallet."""

from tests.ledger.books import Books
from tests.wallets.test_wallets import credit, debit, expire_by, held, void

SUMS = """
    select kind, sum(credited_minor), sum(given_minor), sum(spent_minor), sum(expired_minor), sum(corrected_minor),
        sum(change_minor) from duly.report_wallets group by kind order by kind
"""


def test_each_movement_is_credited_given_spent_expired_or_corrected(wallets: Books, wallet_owner: Books) -> None:
    credit(wallets, "k1", 5000)
    void(wallets, "v1", credit(wallets, "k2", 700))
    credit(wallets, "k3", 1000, "present")
    void(wallets, "v2", debit(wallets, "d1", 300, "film"))
    debit(wallets, "d2", 400, "film")
    expire_by(wallet_owner, 31)
    wallets.run("select * from duly.expire_wallets('', 100)")

    found = {kind: tuple(map(int, sums)) for kind, *sums in wallets.run(SUMS)}

    assert found == {
        "credited": (5700, 0, 0, 0, 0, 5700),
        "given": (0, 1000, 0, 0, 0, 1000),
        "spent": (0, 0, 700, 0, 0, -700),
        "expired": (0, 0, 0, 600, 0, -600),
        "voided": (0, 0, 0, 0, -400, -400),
    }
    assert held(wallets) == sum(sums[-1] for sums in found.values())
