-- Debits that should be settled by now: the file was never given to the bank, its statement was not imported, or the bank has lost it.

-- Alert operators, once for each debit, in one message a provider; return how many messages there are.
create or replace function duly.alert_overdue_debits(p_now timestamptz) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_messages integer := 0;
begin
    for v in
        with late as (
            update duly.debits d set alerted_at = clock_timestamp() from duly.creditors c
            where c.id = d.provider_id and d.state in ('pending', 'exported') and d.alerted_at is null
              and d.collect_on + c.answer_days < (p_now at time zone c.time_zone)::date
            returning d.provider_id, d.id, d.collect_on, d.state)
        select provider_id, count(*) as debits, array_agg(format('%s (%s)', id, state) order by collect_on, length(id), id) as ids
        from late group by provider_id order by provider_id
    loop
        perform duly.write_message('debits_overdue', '', '', '', jsonb_build_object('provider', v.provider_id, 'count', v.debits,
            'object', array_to_string(v.ids[:10], ', ')), v.provider_id || '/' || split_part(v.ids[1], ' ', 1));
        v_messages := v_messages + 1;
    end loop;
    return v_messages;
end $$;
