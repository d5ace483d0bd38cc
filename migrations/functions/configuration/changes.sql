-- The configuration: its history, what goes on being used of it, and what is taken away.

-- Note what was changed of a part of the configuration, by whom and why, and with which document. The trigger of every table of it.
create or replace function duly.keep_configuration_change() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    v_was jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
    v_is jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
    v_row jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
    v_id text := case tg_argv[1] when '' then tg_argv[0] else v_row ->> tg_argv[1] end;
    v_changes jsonb;
begin
    -- A version is a row of its own: what it changes is what the version before it said otherwise.
    if tg_table_name = 'dunning_policies' then
        select to_jsonb(p) into v_was from duly.dunning_policies p
        where p.id = new.id and p.segment = new.segment and p.version < new.version order by p.version desc limit 1;
        v_was := coalesce((v_was - 'document') || (v_was -> 'document'), '{}');
        v_is := (v_is - 'document') || (v_is -> 'document');
        v_id := v_id || case new.segment when '' then '' else '/' || new.segment end;
    elsif tg_table_name = 'reminder_rules' and tg_op = 'INSERT' then
        select to_jsonb(r) into v_was from duly.reminder_rules r
        where r.segment = new.segment and r.version < new.version order by r.version desc limit 1;
        v_was := coalesce(v_was, '{}');
    end if;
    if tg_nargs > 2 then
        -- A row that is a part of something: by its name, or, where it holds nothing else, by whose part it is.
        select jsonb_object_agg(tg_argv[2] || '.' || (v_row ->> tg_argv[3]), jsonb_build_object('was', v_was -> x.key, 'is', v_is -> x.key))
        into v_changes
        from (select coalesce(min(k) filter (where k not in (tg_argv[1], tg_argv[3])), tg_argv[1]) as key from jsonb_object_keys(v_row) k) x
        where v_was -> x.key is distinct from v_is -> x.key;
    else
        select jsonb_object_agg(n.key, jsonb_build_object('was', v_was -> n.key, 'is', v_is -> n.key)) into v_changes
        from jsonb_object_keys(v_was || v_is) n (key)
        where n.key not in ('created_at', 'is_only') and v_was -> n.key is distinct from v_is -> n.key;
    end if;
    if v_changes is not null then
        insert into duly.definition_changes (definition_id, kind, changes, actor, reason, version)
        values (v_id, tg_argv[0], v_changes, coalesce(current_setting('duly.actor', true), ''),
            coalesce(current_setting('duly.reason', true), ''), nullif(current_setting('duly.configuration_version', true), '')::integer);
    end if;
    return null;
end $$;

-- Keep a document that changed something, as the next version, whichever the caller counts: the changes of its commit name that one.
create or replace function duly.keep_configuration_version(p_version integer, p_document jsonb, p_actor text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.configuration_versions (version, document, actor, reason)
    select coalesce(max(v.version), 0) + 1, p_document, coalesce(nullif(p_actor, ''), session_user), p_reason
    from duly.configuration_versions v
$$;
