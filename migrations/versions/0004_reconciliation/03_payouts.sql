-- Payouts leave clearing for what is in transit, and reach the bank with a line of its statement.

-- Names that a check knows are added to whatever it knew before. What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, 0) into strict v_expression from pg_constraint
    where conname = 'ledger_account_kind' and contypid = 'duly.ledger_account'::regtype;
    alter domain duly.ledger_account drop constraint ledger_account_kind;
    execute format('alter domain duly.ledger_account add constraint ledger_account_kind check ((%s)
        or split_part(value, '':'', 1) = ''payouts_in_transit'') not valid', v_expression);

    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_bookings_kind_check' and conrelid = 'duly.gateway_bookings'::regclass;
    alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
    execute format('alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check ((%s)
        or kind in (''payout_pulled'', ''payout_arrived'', ''topup'', ''topup_back'')) not valid',
        v_expression);
end $$;

insert into duly.ledger_account_kinds (kind, nature, description) values
    ('payouts_in_transit', 'asset', 'Money that has left a gateway and that no bank statement shows yet; one for each provider');

create table duly.gateway_payouts (
    provider_id text collate "C" not null references duly.providers,
    id text collate "C" not null,
    amount_minor bigint not null,
    currency text collate "C" not null,
    status text not null,
    is_automatic boolean not null,
    trace text collate "C" not null default '',
    arrives_on date not null,
    lines_minor bigint,
    arrived_key text collate "C" unique,
    created_at timestamptz not null,
    primary key (provider_id, id)
);

create index payouts_in_transit on duly.gateway_payouts (currency, amount_minor) where arrived_key is null;

comment on table duly.gateway_payouts is
    'Money on its way from a gateway to the bank. `lines_minor`: what the movements it consists of add up to, once they were
listed; `arrived_key`: the bank''s line that brought it.';
