-- Run definitions keep their history (X18).

-- Who and why come with the session of a command.
create or replace function duly.keep_definition_change() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    v_was jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}' end;
    v_changes jsonb;
begin
    select jsonb_object_agg(n.key, jsonb_build_object('was', v_was -> n.key, 'is', n.value)) into v_changes
    from jsonb_each(to_jsonb(new)) n where v_was -> n.key is distinct from n.value;
    if v_changes is not null then
        insert into duly.definition_changes (definition_id, changes, actor, reason)
        values (new.id, v_changes, coalesce(current_setting('duly.actor', true), ''),
            coalesce(current_setting('duly.reason', true), ''));
    end if;
    return null;
end $$;

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
