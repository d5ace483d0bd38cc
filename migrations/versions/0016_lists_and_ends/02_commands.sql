-- A worker writes each command into its log once; those that are there already were given before anybody did.
alter table duly.commands add column logged_at timestamptz default now();
alter table duly.commands alter column logged_at drop default;

create index commands_to_log on duly.commands (id) where logged_at is null;
