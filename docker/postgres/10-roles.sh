#!/bin/bash
# Runs once, when the data volume is empty. Duly has two roles: one owns the tables and migrates them, the other is
# what the processes run as; it may read, and write money only through the owner's functions. Temporal has its own.
set -euo pipefail

owner_password=$(cat "${DULY_OWNER_PASSWORD_FILE:?}")
runtime_password=$(cat "${DULY_RUNTIME_PASSWORD_FILE:?}")
: "${owner_password:?}" "${runtime_password:?}" "${TEMPORAL_DATABASE_PASSWORD:?}"

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$owner_password" \
    --set runtime_password="$runtime_password" \
    --set temporal_password="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
create role duly_app nologin;
create role duly_owner login password :'owner_password';
create role duly_runtime login password :'runtime_password' in role duly_app;
create role temporal login password :'temporal_password';

create database duly owner duly_owner;
create database temporal owner temporal;
create database temporal_visibility owner temporal;

revoke all on database duly, temporal, temporal_visibility from public;
grant connect on database duly to duly_app;
SQL
