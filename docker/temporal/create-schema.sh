#!/bin/sh
# Brings both of Temporal's databases to the schema of this version. Safe to run again: that is how upgrades get theirs.
set -eu

upgrade() {
    temporal-sql-tool --db "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring_up_to_date() {
    # A database without a version table is new: it gets version 0.0, and then every update.
    if ! upgrade "$1" "$2"; then
        temporal-sql-tool --db "$1" setup-schema -v 0.0
        upgrade "$1" "$2"
    fi
}

bring_up_to_date temporal temporal
bring_up_to_date temporal_visibility visibility
