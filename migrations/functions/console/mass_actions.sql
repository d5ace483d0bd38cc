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

-- Take over what has stopped, or what nobody carries out any more, and return its turn: who carries out an older one stops.
-- 0: somebody carries it out, or nothing is left.
create or replace function duly.take_over_mass_action(p_key text, p_user_id text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_turn integer;
begin
    update duly.mass_actions set active_at = clock_timestamp(), stopped_because = '', carried_by = p_user_id, turn = turn + 1
        where key = p_key and ended_at is null
            and (stopped_because <> '' or active_at < clock_timestamp() - interval '2 minutes')
        returning turn into v_turn;
    return coalesce(v_turn, 0);
end $$;

-- Keep what became of one object, also of one of which somebody else has said meanwhile that nobody knows, or that was dropped.
-- The last one ends the whole, and closes it, unless somebody has to look at what became of one.
create or replace function duly.end_mass_item(p_key text, p_position integer, p_outcome text, p_answer text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.mass_action_items set outcome = p_outcome, answer = p_answer, ended_at = clock_timestamp()
        where key = p_key and position = p_position and outcome in ('left', 'dropped', 'failed');
    update duly.mass_actions set active_at = clock_timestamp(), ended_at = clock_timestamp(),
            closed_at = case when not exists (select from duly.mass_action_items where key = p_key and outcome = 'failed')
                then clock_timestamp() end
        where key = p_key and ended_at is null
            and not exists (select from duly.mass_action_items where key = p_key and outcome = 'left');
    if not found then
        update duly.mass_actions set active_at = clock_timestamp() where key = p_key and ended_at is null;
    end if;
end $$;

-- Drop what is left of one that nobody carries out, and say that nothing more is to be done. False: somebody carries it
-- out, or it is closed already.
create or replace function duly.close_mass_action(p_key text, p_user_id text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.mass_actions set closed_at = clock_timestamp(), closed_by = p_user_id, turn = turn + 1,
            ended_at = coalesce(ended_at, clock_timestamp())
        where key = p_key and closed_at is null
            and (ended_at is not null or stopped_because <> '' or active_at < clock_timestamp() - interval '2 minutes');
    if not found then return false; end if;
    update duly.mass_action_items set outcome = 'dropped', ended_at = clock_timestamp() where key = p_key and outcome = 'left';
    return true;
end $$;

-- Leave the rest, and say why; whoever may goes on with it.
create or replace function duly.stop_mass_action(p_key text, p_because text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.mass_actions set stopped_because = p_because where key = p_key and ended_at is null
$$;
