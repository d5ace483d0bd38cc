-- Vouchers. A voucher has no state of its own: it is out until something has ended it, which happens once.

create table duly.voucher_types (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
    name text not null check (name <> ''),
    -- By what they are invoiced, or which expense pays for what is given away.
    product_id text collate "C" references duly.products,
    ledger_account duly.ledger_account check (split_part(ledger_account, ':', 1) in ('reward_expense', 'revenue', 'write_off')),
    -- As what a redemption is posted.
    payment_method_id text collate "C" not null references duly.payment_methods,
    payment_type_id text collate "C" references duly.transaction_types,
    -- How many days they can be redeemed; null: without an end. What nobody has redeemed then is income there.
    expires_after_days integer check (expires_after_days between 1 and 36600),
    breakage_account duly.ledger_account not null default 'revenue:breakage'
        check (split_part(breakage_account, ':', 1) in ('revenue', 'reward_expense', 'write_off')),
    is_active boolean not null default true,
    check (num_nonnulls(product_id, ledger_account::text) = 1)
);

create trigger definition_changes after insert or update on duly.voucher_types
    for each row execute function duly.keep_configuration_change('voucher_types', 'id');

create sequence duly.voucher_batch_ids;
create sequence duly.voucher_ids;
create sequence duly.voucher_transaction_ids;

create table duly.voucher_batches (
    id text collate "C" primary key default 'vb_' || nextval('duly.voucher_batch_ids'),
    number text collate "C" not null unique generated always as ('VCB-' || lpad(substr(id, 4), 10, '0')) stored,
    type_id text collate "C" not null references duly.voucher_types,
    -- Who has bought them; null: given away.
    account_id text collate "C" references duly.accounts,
    currency text collate "C" not null references duly.currencies,
    -- What each is worth, and how many there are.
    amount_minor duly.amount_minor not null,
    vouchers integer not null check (vouchers between 1 and 1000),
    -- The last day on which they can be redeemed.
    expires_on date,
    issued_at timestamptz not null default clock_timestamp()
);

create index voucher_batches_that_expire on duly.voucher_batches (expires_on) where expires_on is not null;

create table duly.vouchers (
    id text collate "C" primary key default 'vch_' || nextval('duly.voucher_ids'),
    number text collate "C" not null unique generated always as ('VCH-' || lpad(substr(id, 5), 10, '0')) stored,
    batch_id text collate "C" not null references duly.voucher_batches,
    -- SHA-256 of a code of 100 random bits; the code itself is nowhere.
    code_hash text collate "C" not null unique check (code_hash ~ '^[0-9a-f]{64}$')
);

create index vouchers_of_batch on duly.vouchers (batch_id);

create table duly.voucher_transactions (
    id text collate "C" primary key default 'vt_' || nextval('duly.voucher_transaction_ids'),
    idempotency_key text collate "C" not null unique check (length(idempotency_key) between 1 and 200),
    request_hash bytea not null check (octet_length(request_hash) = 32),
    batch_id text collate "C" not null references duly.voucher_batches,
    kind text not null check (kind in ('issued', 'redeemed', 'cancelled', 'expired')),
    currency text collate "C" not null references duly.currencies,
    amount_minor duly.amount_minor not null,
    -- Who has bought them, was credited, or has redeemed.
    account_id text collate "C" references duly.accounts,
    -- The invoice, credit note or payment on the other side of clearing.
    transaction_id text collate "C" unique references duly.financial_transactions,
    actor text not null check (actor <> ''),
    reason text not null default '',
    made_by name not null default session_user,
    posted_on date not null,
    posted_at timestamptz not null default clock_timestamp(),
    posted_xid xid8 not null default pg_current_xact_id()
);

create index voucher_transactions_of_batch on duly.voucher_transactions (batch_id);
create index voucher_transactions_of_account on duly.voucher_transactions (account_id);
create unique index batch_is_issued_once on duly.voucher_transactions (batch_id) where kind = 'issued';

-- What has ended a voucher, which is one thing: who is second to redeem it finds it here.
create table duly.voucher_ends (
    voucher_id text collate "C" primary key references duly.vouchers,
    transaction_id text collate "C" not null references duly.voucher_transactions
);

create index voucher_ends_of_transaction on duly.voucher_ends (transaction_id);

comment on table duly.voucher_transactions is 'Vouchers that were issued, redeemed, cancelled or have expired; each owns one transfer.';

do $$
declare
    t text;
begin
    foreach t in array array['voucher_batches', 'vouchers', 'voucher_transactions', 'voucher_ends'] loop
        execute format('create trigger append_only before update or delete on duly.%I
            for each row execute function duly.refuse_change()', t);
        execute format('create trigger no_truncate before truncate on duly.%I
            for each statement execute function duly.refuse_change()', t);
    end loop;
end $$;

-- What touches vouchers or their clearing has a voucher transaction by the commit: replaced by its file with every migrate.
create function duly.guard_vouchers() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    return null;
end $$;

create constraint trigger guard_vouchers after insert on duly.transfers
    deferrable initially deferred for each row
    when (new.debit_account in ('vouchers', 'voucher_clearing') or new.credit_account in ('vouchers', 'voucher_clearing'))
    execute function duly.guard_vouchers();
