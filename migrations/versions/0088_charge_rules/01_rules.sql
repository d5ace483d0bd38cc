-- Which charges are held for a person before they are sent. Without a row nothing is.
create table duly.charge_rules (
    id text collate "C" primary key,
    currency text collate "C" references duly.currencies,
    above_minor bigint check (above_minor >= 0),
    first_above_minor bigint check (first_above_minor >= 0),
    times_median numeric(6, 2) check (times_median > 1),
    of_payments smallint not null default 12 check (of_payments between 1 and 100),
    payments_min smallint not null default 3 check (payments_min between 1 and of_payments),
    most_charges integer check (most_charges >= 1),
    most_minor bigint check (most_minor >= 1),
    per text check (per in ('account', 'card', 'merchant')),
    within_minutes integer check (within_minutes between 1 and 132480),
    is_active boolean not null default true,
    check (currency is not null or coalesce(above_minor, first_above_minor, most_minor) is null),
    check ((per is null) = (most_charges is null and most_minor is null) and (per is null) = (within_minutes is null))
);

comment on table duly.charge_rules is
    'A charge that a rule names waits for a person: above an amount, a first one, above the usual, or too many within a time.';

create trigger definition_changes after insert or update on duly.charge_rules
    for each row execute function duly.keep_configuration_change('charge_rules', 'id');

-- What is held, and who has released it: for this receivable and this amount.
create table duly.charge_holds (
    id bigint generated always as identity primary key,
    account_id text collate "C" not null references duly.accounts,
    period text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null references duly.currencies,
    provider_id text collate "C" not null references duly.providers,
    run_id text collate "C" not null default '',
    rule_id text collate "C" not null,
    because text not null check (because in ('above', 'first_above', 'times_median', 'most_charges', 'most')),
    held_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    released_by text not null default '',
    released_because text not null default '',
    unique (account_id, period, amount_minor)
);

create index charge_holds_waiting on duly.charge_holds (id) where released_at is null;

comment on table duly.charge_holds is 'Charges that a rule holds before anything of them is sent, one a receivable and amount.';

-- How many charges there were within a time. It costs next to nothing to keep.
create index attempts_by_start on duly.gateway_attempts using brin (started_at);
