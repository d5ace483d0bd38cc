"""An attempt keeps the id of the page that it opened when it gets the id of its payment.

Revision ID: 0086
"""

from migrations.run import run_scripts

revision = "0086"
down_revision: str | None = "0085"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0086_page_references")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
