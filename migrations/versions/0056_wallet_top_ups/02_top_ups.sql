-- When a wallet of a currency is topped up, by how much, how often in a month, and by which type and product.
create table duly.wallet_top_up_rules (
    currency text collate "C" primary key references duly.currencies,
    below_minor bigint not null check (below_minor between 1 and 9007199254740991),
    amount_minor bigint not null check (amount_minor between 1 and 9007199254740991),
    most_in_month integer not null check (most_in_month between 1 and 31),
    wallet_type_id text collate "C" not null references duly.wallet_transaction_types,
    product_id text collate "C" not null references duly.products,
    -- Whether it is for every account that has a wallet and has not chosen otherwise.
    for_all boolean not null default false,
    is_active boolean not null default true
);

create trigger definition_changes after insert or update on duly.wallet_top_up_rules
    for each row execute function duly.keep_configuration_change('wallet_top_up_rules', 'currency');

-- What an account has chosen; its history is in account_changes.
create table duly.wallet_top_up_choices (
    account_id text collate "C" primary key references duly.accounts,
    is_on boolean not null
);

-- The top-ups that runs have asked for: requested, credited when the invoice is settled, or withdrawn when it is cancelled before that.
create table duly.wallet_top_ups (
    invoice_id text collate "C" primary key references duly.financial_transactions,
    account_id text collate "C" not null references duly.accounts,
    run_id text collate "C" not null references duly.process_runs,
    currency text collate "C" not null references duly.currencies,
    amount_minor duly.amount_minor not null,
    wallet_type_id text collate "C" not null references duly.wallet_transaction_types,
    state text not null default 'requested' check (state in ('requested', 'credited', 'withdrawn')),
    credited_id text collate "C" unique references duly.wallet_transactions,
    -- What was taken out of the wallet again, for the money of the invoice has gone back.
    taken_back_minor bigint not null default 0 check (taken_back_minor between 0 and amount_minor),
    -- Counts what has moved the invoice's settlement: at the commit somebody looks what became of it.
    moves bigint not null default 0,
    requested_at timestamptz not null default clock_timestamp(),
    unique (run_id, account_id),
    check ((state = 'credited') = (credited_id is not null))
);

comment on table duly.wallet_top_ups is 'Invoices of runs that fill a wallet when they are settled, and what became of each.';

-- An account waits for one top-up at a time, however many runs look at it.
create unique index one_requested_top_up on duly.wallet_top_ups (account_id) where state = 'requested';
create index wallet_top_ups_of_account on duly.wallet_top_ups (account_id, requested_at);

create trigger no_truncate before truncate on duly.wallet_top_ups for each statement execute function duly.refuse_change();

create function duly.follow_top_up() returns trigger language plpgsql as 'begin return null; end';

-- At the commit, when every allocation of it is made: what is settled and taken away again within it has moved nothing.
create constraint trigger follow_top_up after update of moves on duly.wallet_top_ups
    deferrable initially deferred for each row execute function duly.follow_top_up();
