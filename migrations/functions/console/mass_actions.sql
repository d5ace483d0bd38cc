-- Mass actions: begun once by their key, carried out one by one, and gone on with when their process has ended.

-- Keep a mass action before its work; false: it was sent before.
create or replace function duly.begin_mass_action(p_key text, p_user_id text, p_action text, p_reason text, p_fields jsonb, p_subjects text[])
returns boolean language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mass_actions;
begin
    insert into duly.mass_actions (key, user_id, action, reason, fields) values (p_key, p_user_id, p_action, p_reason, p_fields)
        on conflict do nothing;
    if found then
        insert into duly.mass_action_items (key, position, subject)
            select p_key, row_number() over (order by x.position), x.subject from (
                select subject, min(position) as position from unnest(p_subjects) with ordinality u (subject, position) group by 1) x;
        return true;
    end if;
    select * into m from duly.mass_actions where key = p_key;
    if (m.user_id, m.action) is distinct from (p_user_id, p_action) then
        perform duly.refuse('form_is_one', 'key: was sent with another form: open the form again');
    end if;
    return false;
end $$;

-- Take over what has stopped, or what nobody carries out any more. False: somebody does, or nothing is left.
create or replace function duly.take_mass_action(p_key text, p_user_id text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.mass_actions set active_at = clock_timestamp(), stopped_because = ''
        where key = p_key and user_id = p_user_id and ended_at is null
            and (stopped_because <> '' or active_at < clock_timestamp() - interval '2 minutes');
    return found;
end $$;

-- Keep what became of one object. The last one ends the whole.
create or replace function duly.end_mass_item(p_key text, p_position integer, p_outcome text, p_answer text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.mass_action_items set outcome = p_outcome, answer = p_answer, ended_at = clock_timestamp()
        where key = p_key and position = p_position and outcome = 'left';
    update duly.mass_actions set active_at = clock_timestamp(), ended_at = case when not exists (
            select from duly.mass_action_items where key = p_key and outcome = 'left') then clock_timestamp() end
        where key = p_key and ended_at is null;
end $$;

-- Leave the rest, and say why; whoever began it goes on when it may be.
create or replace function duly.stop_mass_action(p_key text, p_because text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.mass_actions set stopped_because = p_because where key = p_key and ended_at is null
$$;
