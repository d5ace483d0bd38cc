"""Alembic's entry: connects under the owner's role and keeps its own table in our schema."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from migrations.run import CONNECT, SCHEMA, forget_functions
from models.tables import metadata
from settings import load_settings


def database_url() -> str:
    """Return the address from `-x url=…`, else from the settings."""
    return context.get_x_argument(as_dictionary=True).get("url") or load_settings().owner_database_url


def run_migrations() -> None:
    """Apply the revisions in one transaction each."""
    engine = create_engine(database_url(), poolclass=pool.NullPool, connect_args=CONNECT)
    with engine.connect() as connection:
        connection.execute(text(f"create schema if not exists {SCHEMA}"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table_schema=SCHEMA,
            include_schemas=True,
            transaction_per_migration=True,
            on_version_apply=lambda **_version: forget_functions(connection),
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
