-- Every part of the configuration keeps its history, as run definitions do (X18), and each document that changed something is a version.
-- What an older release was configured with stays as it is; its history begins here.

create table duly.configuration_versions (
    version integer primary key check (version >= 1),
    document jsonb not null,
    actor text not null,
    reason text not null,
    applied_at timestamptz not null default clock_timestamp()
);

comment on table duly.configuration_versions is
    'Documents that changed the configuration, as they were applied: what they named, in the order in which they were applied.';

-- The document's name of the table, and the version that it came with; without one it was a command or a statement of SQL.
alter table duly.definition_changes
    add column kind text not null default 'run_definitions',
    add column version integer references duly.configuration_versions deferrable initially deferred;

create index changes_by_kind on duly.definition_changes (kind, definition_id, id);

comment on table duly.definition_changes is
    'Changes of the configuration, by part; without an actor it was a statement of SQL, or an older release.';

-- Retired like everything that invoices were posted by.
alter table duly.due_date_rules add column is_active boolean not null default true;

create trigger append_only before update or delete on duly.configuration_versions
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.configuration_versions
    for each statement execute function duly.refuse_change();
