-- The alert of an audit that found the ledger breaking its rules: one message an occasion, with the ids.
create or replace function duly.alert_of_violations(p_occasion text, p_violations jsonb) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('invariants_broken', '', '', '', p_violations || jsonb_build_object('workflow', p_occasion),
        p_occasion)
$$;
