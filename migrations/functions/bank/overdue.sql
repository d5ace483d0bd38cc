-- Debits that should be settled by now: the file was never given to the bank, its statement was not imported, or the bank has lost it.

-- Alert operators, once for each debit and day of collection, in one message a provider; return how many messages there are. A debit that
-- somebody works on at this moment is looked at the next time: nobody waits for it.
create or replace function duly.alert_overdue_debits(p_now timestamptz) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v record;
    v_messages integer := 0;
begin
    for v in
        with late as (
            select d.provider_id, d.id, d.collect_on, d.state from duly.debits d join duly.creditors c on c.id = d.provider_id
            where d.state in ('pending', 'exported') and d.alerted_at is null
              and d.collect_on + c.answer_days < (p_now at time zone c.time_zone)::date
            order by d.account_id, d.id for update of d skip locked),
        notified as (
            update duly.debits d set alerted_at = clock_timestamp() from late l where d.id = l.id)
        select provider_id, count(*) as debits, array_agg(format('%s (%s)', id, state) order by collect_on, length(id), id) as ids,
            min(collect_on) as collect_on
        from late group by provider_id order by provider_id
    loop
        perform duly.write_message('debits_overdue', '', '', '', jsonb_build_object('provider', v.provider_id, 'count', v.debits,
            'object', array_to_string(v.ids[:10], ', ')), concat_ws('/', v.provider_id, split_part(v.ids[1], ' ', 1), v.collect_on));
        v_messages := v_messages + 1;
    end loop;
    return v_messages;
end $$;
