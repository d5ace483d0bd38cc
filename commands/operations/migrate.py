"""`migrate`: brings the database to the newest schema."""

from commands.options import Json
from commands.runner import perform


def migrate(as_json: Json = False) -> None:
    """Bring the database to the newest schema, under the owner's role (DULY_MIGRATION_DATABASE_URL).

    Running it again changes nothing. Workers of the release before this one go on meanwhile: see docs/upgrading.md.
    """
    from commands.operations.migrate_work import upgrade

    perform(upgrade, as_json=as_json)
