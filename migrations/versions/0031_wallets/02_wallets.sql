-- The transactions of wallets. A wallet has no row and no balance of its own: what is in it is what its newest transaction left.

create table duly.wallet_transaction_types (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
    name text not null check (name <> ''),
    direction text not null check (direction in ('credit', 'debit')),
    -- What is invoiced: of a credit the top-up, of a debit what it buys.
    product_id text collate "C" references duly.products,
    -- By which method a debit pays what the account owes.
    payment_method_id text collate "C" references duly.payment_methods,
    -- Where the other side goes when neither an invoice nor a payment is posted: a present's expense, the income of what has expired.
    ledger_account duly.ledger_account check (split_part(ledger_account, ':', 1) in ('revenue', 'reward_expense', 'write_off')),
    -- How many days a credit can be spent; null: without an end.
    expires_after_days integer check (expires_after_days between 1 and 36600),
    -- By this type expired credit is booked.
    books_expiry boolean not null default false,
    -- Types of payments that fund the wallet by this type, and types of payment cancellations that void such a credit.
    funded_by text[] not null default '{}',
    voided_by text[] not null default '{}',
    is_active boolean not null default true,
    check (num_nonnulls(coalesce(product_id, payment_method_id), ledger_account::text) = 1),
    check (direction = 'debit' or payment_method_id is null),
    check (direction = 'credit' or product_id is null or payment_method_id is not null),
    check (direction = 'credit' or (expires_after_days is null and funded_by = '{}' and voided_by = '{}')),
    check (not books_expiry or (direction = 'debit' and ledger_account is not null))
);

create unique index one_type_of_expiry on duly.wallet_transaction_types (books_expiry) where books_expiry and is_active;

create table duly.wallet_limits (
    currency text collate "C" primary key references duly.currencies,
    maximum_minor bigint not null check (maximum_minor between 1 and 9007199254740991)
);

create trigger definition_changes after insert or update on duly.wallet_transaction_types
    for each row execute function duly.keep_configuration_change('wallet_transaction_types', 'id');
create trigger definition_changes after insert or update or delete on duly.wallet_limits
    for each row execute function duly.keep_configuration_change('wallet_limits', 'currency');

create sequence duly.wallet_transaction_ids;

create table duly.wallet_transactions (
    id text collate "C" primary key default 'wt_' || nextval('duly.wallet_transaction_ids'),
    number text collate "C" not null unique generated always as ('WAL-' || lpad(substr(id, 4), 10, '0')) stored,
    idempotency_key text collate "C" not null unique check (length(idempotency_key) between 1 and 200),
    request_hash bytea not null check (octet_length(request_hash) = 32),
    account_id text collate "C" not null references duly.accounts,
    currency text collate "C" not null references duly.currencies,
    type_id text collate "C" not null references duly.wallet_transaction_types,
    direction text not null check (direction in ('credit', 'debit')),
    amount_minor duly.amount_minor not null,
    -- The last day on which a credit can be spent.
    expires_on date,
    -- The wallet transaction that it takes back, which is taken back once.
    voids_id text collate "C" unique references duly.wallet_transactions,
    -- The invoice or payment, or its cancellation, on the other side of clearing.
    transaction_id text collate "C" unique references duly.financial_transactions,
    -- The invoice of what a debit has bought, or its cancellation.
    made_invoice_id text collate "C" unique references duly.financial_transactions,
    -- The payment that has funded a credit.
    funding_payment_id text collate "C" unique references duly.financial_transactions,
    wallet_version bigint not null check (wallet_version > 0),
    balance_after_minor bigint not null check (balance_after_minor >= 0),
    actor text not null check (actor <> ''),
    reason text not null default '',
    made_by name not null default session_user,
    posted_on date not null,
    posted_at timestamptz not null default clock_timestamp(),
    posted_xid xid8 not null default pg_current_xact_id(),
    unique (account_id, wallet_version),
    check (expires_on is null or (direction = 'credit' and voids_id is null))
);

comment on table duly.wallet_transactions is 'Each movement of a wallet, with the balance it left; never changed, taken back by another one.';

-- What each credit was used for; what a debit that is voided had used is given back below zero.
create table duly.wallet_uses (
    transaction_id text collate "C" not null references duly.wallet_transactions,
    credit_id text collate "C" not null references duly.wallet_transactions,
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (transaction_id, credit_id)
);

create index wallet_uses_of_credit on duly.wallet_uses (credit_id);
create index wallet_credits_that_expire on duly.wallet_transactions (expires_on) where expires_on is not null;

do $$
declare
    t text;
begin
    foreach t in array array['wallet_transactions', 'wallet_uses'] loop
        execute format('create trigger append_only before update or delete on duly.%I
            for each row execute function duly.refuse_change()', t);
        execute format('create trigger no_truncate before truncate on duly.%I
            for each statement execute function duly.refuse_change()', t);
    end loop;
end $$;

-- What touches clearing has a wallet transaction by the commit, whoever has written it.
create function duly.guard_wallet_clearing() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    perform from duly.wallet_transactions w
    where (w.transaction_id = new.source_id or w.id = new.source_id) and w.amount_minor = new.amount_minor
      and w.currency = new.currency and w.posted_xid = pg_current_xact_id();
    if not found then
        perform duly.refuse('prerequisite', 'wallet_transaction_first', jsonb_build_object('transaction_id', new.source_id));
    end if;
    return null;
end $$;

create constraint trigger guard_wallet_clearing after insert on duly.transfers
    deferrable initially deferred for each row
    when (new.debit_account = 'wallet_clearing' or new.credit_account = 'wallet_clearing')
    execute function duly.guard_wallet_clearing();
