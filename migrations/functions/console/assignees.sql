-- Let a user look after an open collection; '': nobody any more. The same again changes nothing.
-- p_seen: whose it was when its asker looked, 'nobody' for nobody's; '': whosever it is by now.
create or replace function duly.assign_collection(p_account_id text, p_period text, p_user_id text, p_actor text, p_seen text default '')
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_closed_at timestamptz;
    v_user duly.users;
    v_now text;
begin
    -- Two who assign it at once are looked at one after the other.
    select closed_at into v_closed_at from duly.collections where account_id = p_account_id and period = p_period for no key update;
    if not found then
        perform duly.refuse('collection_exists', format('collection: %s has none for %s', p_account_id, p_period));
    elsif v_closed_at is not null then
        perform duly.refuse('collection_is_open', format('collection: that of %s for %s is over', p_account_id, p_period));
    end if;
    select * into v_user from duly.users where id = lower(btrim(p_user_id));
    select user_id into v_now from duly.collection_assignees where account_id = p_account_id and period = p_period;
    if p_user_id <> '' and (v_user.id is null or v_user.state <> 'active') then
        perform duly.refuse('user_exists', format('user: there is no active user %s: `users list`', p_user_id));
    elsif v_user.merchants <> '{}' then
        perform duly.refuse('assignee_sees_it', format('user: %s sees the customers of %s alone, and no list of collections', v_user.id,
            array_to_string(v_user.merchants, ', ')));
    elsif v_user.role = 'viewer' then
        perform duly.refuse('assignee_may_act', format('user: %s is a viewer, and could do nothing about it', v_user.id));
    elsif p_seen not in ('', coalesce(v_now, 'nobody')) and coalesce(v_now, '') <> coalesce(v_user.id, '') then
        perform duly.refuse('field_is_as_seen', format('user: is assigned to %s by now: look at it again', coalesce(v_now, 'nobody')));
    elsif p_user_id = '' then
        delete from duly.collection_assignees where account_id = p_account_id and period = p_period;
        return;
    end if;
    insert into duly.collection_assignees (account_id, period, user_id, assigned_by) values (p_account_id, p_period, v_user.id, p_actor)
    on conflict (account_id, period) do update
        set user_id = excluded.user_id, assigned_by = excluded.assigned_by, assigned_at = clock_timestamp()
        where duly.collection_assignees.user_id <> excluded.user_id;
end $$;
