-- Names that a check knows are added to whatever it knew before. What is stored already keeps every older rule.
do $$
declare
    c record;
    v_expression text;
begin
    for c in select * from (values
        ('duly.providers', 'providers_gateway_check', 'gateway = ''sepa_debit'''),
        ('duly.gateway_attempts', 'gateway_attempts_channel_check', 'channel = ''bank_debit'''),
        ('duly.run_items', 'run_items_outcome_check', 'outcome = ''pending'''),
        ('duly.gateway_bookings', 'gateway_bookings_kind_check', 'kind in (''debits_collected'', ''debits_returned'')')
    ) x (of_table, name, more) loop
        select pg_get_expr(conbin, conrelid) into strict v_expression from pg_constraint
        where conname = c.name and conrelid = c.of_table::regclass;
        execute format('alter table %s drop constraint %I', c.of_table, c.name);
        execute format('alter table %s add constraint %I check ((%s) or %s) not valid', c.of_table, c.name, v_expression, c.more);
    end loop;
end $$;
