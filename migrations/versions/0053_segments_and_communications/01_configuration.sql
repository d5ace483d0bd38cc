-- What a merchant names once and uses everywhere: groups of accounts or transactions by criteria, and texts with tags.
create table duly.segments (
    id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    name text not null check (length(name) between 1 and 200),
    about text not null check (about in ('accounts', 'transactions')),
    criteria jsonb not null default '{}',
    is_active boolean not null default true
);

comment on table duly.segments is
    'A group of accounts or transactions by criteria (models/runs/criteria.py); amounts in minor units by currency.';

create table duly.message_templates (
    id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    name text not null check (length(name) between 1 and 200),
    about text not null check (about in ('accounts', 'transactions')),
    attaches_documents boolean not null default false,
    texts jsonb not null,
    is_active boolean not null default true
);

comment on table duly.message_templates is 'What `communicate` writes: by language a subject and a text, with tags written #{tag}.';

create table duly.message_rules (
    is_only boolean primary key default true check (is_only),
    sends_invoices boolean not null default false,
    confirms_payments boolean not null default false
);

insert into duly.message_rules default values;

comment on table duly.message_rules is
    'One row. Whether an invoice is mailed when it is posted, and whether a payment by bank or by hand is confirmed.';

create trigger definition_changes after insert or update on duly.segments
    for each row execute function duly.keep_configuration_change('segments', 'id');

create trigger definition_changes after insert or update on duly.message_templates
    for each row execute function duly.keep_configuration_change('message_templates', 'id');

create trigger definition_changes after insert or update on duly.message_rules
    for each row execute function duly.keep_configuration_change('message_rules', '');
