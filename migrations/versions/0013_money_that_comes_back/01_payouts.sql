-- A payout that came back after the bank had it has two lines of the statement: the one that brought it, and the one that took it back.

-- What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_bookings_kind_check' and conrelid = 'duly.gateway_bookings'::regclass;
    alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
    execute format('alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check ((%s)
        or kind in (''payout_withdrawn'', ''payout_pull_failed'', ''dispute_regained'', ''dispute_written_back'')) not valid', v_expression);
end $$;

alter table duly.gateway_payouts add column returned_key text collate "C" unique;

create index payouts_arrived on duly.gateway_payouts (currency, amount_minor) where arrived_key is not null and returned_key is null;

comment on column duly.gateway_payouts.amount_minor is 'Below zero where the gateway takes money out of our bank account.';

comment on column duly.gateway_payouts.returned_key is 'The line of the bank''s statement that took it back after `arrived_key` had brought it.';
