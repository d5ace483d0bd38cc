"""Users of the console, their sessions and sign-ins, each form that was sent, and accounts found by words.

Revision ID: 0028
"""

from migrations.indices import build_beside_writers
from migrations.run import run_scripts

revision = "0028"
down_revision: str | None = "0027"
branch_labels: str | None = None
depends_on: str | None = None

# By the beginning of any word of the name, the e-mail or the reference, without accents: activities/console/search.py
# asks by the same expression.
INDICES = {
    "accounts_by_words": "duly.accounts using gin (to_tsvector('simple'::regconfig, translate(lower(owner_name || ' '"
    " || coalesce(email, '') || ' ' || coalesce(owner_reference, '')),"
    " 'äöüáàâéèêëíìîïóòôúùûçñάέήίόύώϊϋ@.-_+', 'aouaaaeeeeiiiiooouuucnαεηιουωιυ     ')))",  # noqa: RUF001  # Greek
}


def upgrade() -> None:
    run_scripts("0028_console")
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("who did what through the console would be forgotten: restore a backup")
