"""The ledger: accounts, financial transactions, transfers, allocations, and the functions that move money.

Revision ID: 0001
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

SQL = Path(__file__).parent.parent / "sql" / "ledger"
FILES = (
    "types",
    "refusals",
    "reference",
    "accounts",
    "transactions",
    "transfers",
    "allocations",
    "guards",
    "triggers",
    "accounts_functions",
    "due_dates",
    "settling",
    "lines",
    "posting",
    "money_transactions",
    "drafts",
    "gateway_payments",
    "documents",
    "documents_functions",
    "corrections",
    "gateway_returns",
    "write_offs",
    "moves",
    "editing",
    "gateway_bookings",
    "balances",
    "views",
    "invariants",
    "seed",
    "rights",
)


def upgrade() -> None:
    op.execute("create schema if not exists duly")
    for name in FILES:
        _run((SQL / f"{name}.sql").read_text())


def downgrade() -> None:
    raise RuntimeError("posted money is never dropped: restore a backup instead")


def _run(script: str) -> None:
    """Run a script of several statements as it stands: the driver must not look for parameters in it."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(script)
    cursor.close()
