"""Indices that are built beside what writes: nobody waits for them, however many rows a table has."""

from collections.abc import Mapping

from alembic import op
from sqlalchemy import text

from migrations.run import STATEMENT_TIMEOUT

_BROKEN_OFF = """
    select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'duly'::regnamespace and c.relname = :name and not i.indisvalid
"""


def build_beside_writers(indices: Mapping[str, str]) -> None:
    """Build indices, given by name as `table (columns)`; one that is there stays.

    Built concurrently an index keeps nobody from writing, but it is in no transaction: what was broken off is invalid,
    and is built anew. It waits for transactions that began before it, and nobody waits for it meanwhile.
    """
    with op.get_context().autocommit_block():
        op.execute(f"set lock_timeout = '{STATEMENT_TIMEOUT}'")
        for name, columns in indices.items():
            for broken_off in op.get_bind().execute(text(_BROKEN_OFF), {"name": name}).scalars().all():
                op.execute(f"drop index concurrently {broken_off}")
            op.execute(f"create index concurrently if not exists {name} on {columns}")
        # Whatever follows keeps others from the table while it waits: it gives way again after the usual time.
        op.execute("reset lock_timeout")
