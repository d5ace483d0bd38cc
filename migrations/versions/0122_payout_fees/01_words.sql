-- What a bank keeps of a payout that it brings or takes back. What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
    where conname = 'gateway_bookings_kind_check' and conrelid = 'duly.gateway_bookings'::regclass;
    alter table duly.gateway_bookings drop constraint gateway_bookings_kind_check;
    execute format('alter table duly.gateway_bookings add constraint gateway_bookings_kind_check check ((%s)
        or kind = ''payout_fee'') not valid', v_expression);
end $$;
