-- A claim has an amount, or takes all that others do not claim (functions/collections/claims.sql). Workers of older releases
-- claim all.

alter table duly.claims
    add column amount_minor bigint check (amount_minor >= 0),
    drop constraint claims_pkey,
    add primary key (invoice_id, account_id, period);

create unique index one_owner_of_the_rest on duly.claims (invoice_id) where amount_minor is null;

comment on table duly.claims is
    'Which receivables an invoice belongs to while they are collected: several with an amount each, one with all the rest.';
comment on column duly.claims.amount_minor is 'Null: all that others do not claim.';

alter table duly.collections add column asked_minor bigint check (asked_minor > 0);

comment on column duly.collections.asked_minor is 'So much is asked for of the invoices. Null: all that is open of them.';
