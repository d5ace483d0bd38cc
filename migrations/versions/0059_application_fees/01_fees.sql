-- What a platform takes of each payment on a merchant's own account: the rule, what an attempt was sent with, and what has moved.
alter table duly.providers add column application_fee jsonb not null default '{}';

comment on column duly.providers.application_fee is 'What the platform takes of a payment on this merchant''s account: percent (text), '
    'fixed_minor, minimum_minor and maximum_minor by currency, is_refunded. Empty: nothing.';

alter table duly.gateway_attempts
    add column application_fee_minor bigint not null default 0,
    add column refunds_application_fee boolean not null default false;

comment on column duly.gateway_attempts.application_fee_minor is
    'What the platform takes of it, as every sending of the attempt says; 0: nothing, and nothing is said.';
comment on column duly.gateway_attempts.refunds_application_fee is
    'Whether a refund of it gives the platform''s part back, by the rule under which it was taken.';

-- The part of a movement's fee that went to the platform, or, negative, came back from it.
alter table duly.gateway_movements add column application_fee_minor bigint not null default 0;
alter table duly.gateway_expectations add column application_fee_minor bigint;

-- Names that a check knows are added to whatever it knew before. What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, 0) into strict v_expression from pg_constraint
    where conname = 'ledger_account_kind' and contypid = 'duly.ledger_account'::regtype;
    alter domain duly.ledger_account drop constraint ledger_account_kind;
    execute format('alter domain duly.ledger_account add constraint ledger_account_kind check ((%s)
        or split_part(value, '':'', 1) in (''platform_fees'', ''application_fees'')) not valid', v_expression);
    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_bookings_kind_check' and conrelid = 'duly.gateway_bookings'::regclass;
    alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
    execute format('alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check ((%s)
        or kind in (''platform_fee'', ''platform_fee_refund'', ''application_fee'', ''application_fee_refund'')) not valid', v_expression);
end $$;

insert into duly.ledger_account_kinds (kind, nature, description) values
    ('platform_fees', 'expense', 'What a platform takes of the payments on a merchant''s account; one for each provider of a merchant'),
    ('application_fees', 'income', 'What the platform takes of payments on its merchants'' accounts; one for each provider of its own');

alter table duly.gateway_expectations drop constraint gateway_expectations_kind_check;
alter table duly.gateway_expectations add constraint gateway_expectations_kind_check check (kind in
    ('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal', 'application_fee', 'application_fee_refund')) not valid;
