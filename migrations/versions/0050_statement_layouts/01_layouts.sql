-- How the CSV exports of banks are written, as their owner has configured it.

create table duly.statement_layouts (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    document jsonb not null check (jsonb_typeof(document -> 'columns') = 'object')
);

comment on table duly.statement_layouts is
    'How a bank''s own CSV export is written: the names of its columns, and how days and amounts stand in them.';

create trigger definition_changes after insert or update or delete on duly.statement_layouts
    for each row execute function duly.keep_configuration_change('statement_layouts', 'id');
