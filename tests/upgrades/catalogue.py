"""What a database is made of: tables, columns, constraints, indexes, triggers, functions, views and rights."""

from collections.abc import Mapping

from sqlalchemy import create_engine, text

_QUERIES = {
    "functions": "select oid::regprocedure::text, pg_get_functiondef(oid), proacl::text from pg_proc"
    " where pronamespace = 'duly'::regnamespace and prokind = 'f'",
    "views": "select viewname, definition from pg_views where schemaname = 'duly'",
    "columns": "select attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid), attacl::text from pg_attribute a join pg_class c on c.oid = attrelid"
    " left join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum"
    " where relnamespace = 'duly'::regnamespace and relkind in ('r', 'p', 'v') and attnum > 0 and not attisdropped",
    "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
    " where connamespace = 'duly'::regnamespace",
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'duly'",
    "triggers": "select tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) from pg_trigger t"
    " join pg_class c on c.oid = tgrelid where relnamespace = 'duly'::regnamespace and not tgisinternal",
    "types": "select t.typname, (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum"
    " where enumtypid = t.oid), format_type(typbasetype, typtypmod) from pg_type t"
    " where typnamespace = 'duly'::regnamespace and typtype in ('e', 'd')",
    "relations": "select relname, relkind, reloptions::text, relacl::text, relpersistence from pg_class"
    " where relnamespace = 'duly'::regnamespace and relkind in ('r', 'p', 'v', 'S')",
    "default rights": "select pg_get_userbyid(defaclrole), defaclobjtype, defaclacl::text from pg_default_acl",
    "reference": "select 'transaction_types', t::text from duly.transaction_types t"
    " union all select 'revision', version_num from duly.alembic_version",
}


Catalogue = Mapping[str, frozenset[tuple[str, ...]]]


def catalogue(url: str) -> Catalogue:
    """Return what the schema consists of, by kind, without the order in which it was made."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                kind: frozenset(tuple(str(value) for value in row) for row in connection.execute(text(query)))
                for kind, query in _QUERIES.items()
            }
    finally:
        engine.dispose()


def differences(
    one: Mapping[str, frozenset[tuple[str, ...]]], other: Mapping[str, frozenset[tuple[str, ...]]]
) -> list[str]:
    """Return a line for each entry that only one of two catalogues has."""
    return [
        f"{kind}, {where}: {entry}"
        for kind in sorted(one.keys() | other.keys())
        for where, only in (("first", one[kind] - other[kind]), ("second", other[kind] - one[kind]))
        for entry in sorted(only)
    ]
