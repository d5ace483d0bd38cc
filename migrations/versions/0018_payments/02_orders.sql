-- Payments by hand: what an agent orders to be charged now. The row and the claim on what is charged are one commit, before any call.

create table duly.payment_orders (
    id text collate "C" primary key check (id ~ '^[A-Za-z][A-Za-z0-9_.-]{0,51}$'),
    account_id text collate "C" not null references duly.accounts,
    period text collate "C" not null,
    provider_id text collate "C" not null references duly.providers,
    asked_minor bigint check (asked_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    invoices text[] not null default '{}',
    wanted_card_id text collate "C" not null default '',
    wanted_preference text collate "C" not null default '',
    card_id text collate "C" not null references duly.cards,
    hands_over boolean not null default false,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    ordered_at timestamptz not null default clock_timestamp(),
    unique (account_id, period),
    check (asked_minor is not null or cardinality(invoices) > 0)
);

comment on table duly.payment_orders is
    'A payment that a person has ordered: its receivable, its amount or its invoices, and the card. An id means one payment for good.';

comment on column duly.payment_orders.hands_over is 'A decline is followed up by the account''s dunning policy; else it ends the payment.';

create trigger append_only before update or delete on duly.payment_orders
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.payment_orders
    for each statement execute function duly.refuse_change();

-- The policy of what a person has ordered: a decline ends it, and what was claimed is free again. The lists of tries are for workers
-- of 0.1.0, which do not know `once`.
insert into duly.dunning_policies (id, version, document)
values ('by_hand', 1, '{"once": true, "declined_after": [], "technical_after": [], "customer_deadline": "P1D"}')
on conflict do nothing;
