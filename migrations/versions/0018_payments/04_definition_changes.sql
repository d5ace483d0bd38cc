-- What was changed of a run definition, by whom and why (X18): by field, before and after, whichever command changed it.

create table duly.definition_changes (
    id bigint generated always as identity primary key,
    definition_id text collate "C" not null,
    changes jsonb not null,
    actor text not null default '',
    reason text not null default '',
    changed_at timestamptz not null default clock_timestamp()
);

create index changes_of_definition on duly.definition_changes (definition_id, id);

comment on table duly.definition_changes is 'Changes of run definitions; without an actor it was a statement of SQL, or an older release.';

-- Who and why come with the session of a command. The body stands in functions/runs/definitions.sql too.
create function duly.keep_definition_change() returns trigger language plpgsql security definer
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

create trigger definition_changes after insert or update on duly.run_definitions
    for each row execute function duly.keep_definition_change();

create trigger append_only before update or delete on duly.definition_changes
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.definition_changes
    for each statement execute function duly.refuse_change();
