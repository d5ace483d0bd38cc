#!/usr/bin/env python
"""Stands for `temporal-sql-tool`: keeps the version of a schema in the real database, under the role that is given."""

import os
import sys

import psycopg

FOLDERS = {
    "temporal": "/etc/temporal/schema/postgresql/v12/temporal/versioned",
    "temporal_visibility": "/etc/temporal/schema/postgresql/v12/visibility/versioned",
}

_, database, command, option, value = sys.argv[1:]
if os.environ["SQL_PLUGIN"] not in {"postgres12", "postgres12_pgx"}:
    sys.exit(f"unknown plugin {os.environ['SQL_PLUGIN']}")
with psycopg.connect(
    host=os.environ["SQL_HOST"],
    port=os.environ["SQL_PORT"],
    user=os.environ["SQL_USER"],
    password=os.environ["SQL_PASSWORD"],
    dbname=database,
) as connection:
    if (command, option) == ("setup-schema", "-v"):
        connection.execute("create table schema_version (version text not null)")
        connection.execute("insert into schema_version values (%s)", [value])
    elif (command, option, value) == ("update-schema", "-d", FOLDERS[database]):
        connection.execute("update schema_version set version = '1.18'")
    else:
        sys.exit(f"{command} {option} {value} is not what this database's schema is brought up to date by")
