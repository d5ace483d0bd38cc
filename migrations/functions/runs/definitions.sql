-- Run definitions that are deleted keep their history (X18); what changes of them is noted by duly.keep_configuration_change.

-- Delete a definition that no run has been executed of (X20); one that has run stays, with its runs, and can be switched off. Its
-- history stays.
create or replace function duly.delete_definition(p_definition_id text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_run_id text;
begin
    perform from duly.run_definitions where id = p_definition_id for update;
    if not found then
        perform duly.refuse('run_definition_exists', format('definition: there is no run definition %L', p_definition_id));
    end if;
    select id into v_run_id from duly.process_runs where definition_id = p_definition_id order by started_at limit 1;
    if found then
        perform duly.refuse('definition_was_not_run',
            format('definition: %s is a run of %L, which stays; switch it to not_effective', v_run_id, p_definition_id));
    end if;
    delete from duly.run_definitions where id = p_definition_id;
    insert into duly.definition_changes (definition_id, changes, actor, reason)
    values (p_definition_id, jsonb_build_object('deleted', jsonb_build_object('was', false, 'is', true)), p_actor, p_reason);
end $$;
