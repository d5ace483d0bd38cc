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
