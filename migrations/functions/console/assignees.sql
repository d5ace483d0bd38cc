-- Let a user look after an open collection; '': nobody any more. The same again changes nothing.
create or replace function duly.assign_collection(p_account_id text, p_period text, p_user_id text, p_actor text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_closed_at timestamptz;
begin
    select closed_at into v_closed_at from duly.collections where account_id = p_account_id and period = p_period for key share;
    if not found then
        perform duly.refuse('collection_exists', format('collection: %s has none for %s', p_account_id, p_period));
    elsif v_closed_at is not null then
        perform duly.refuse('collection_is_open', format('collection: that of %s for %s is over', p_account_id, p_period));
    elsif p_user_id = '' then
        delete from duly.collection_assignees where account_id = p_account_id and period = p_period;
        return;
    elsif not exists (select from duly.users where id = lower(btrim(p_user_id)) and state = 'active') then
        perform duly.refuse('user_exists', format('user: there is no active user %s: `users list`', p_user_id));
    end if;
    insert into duly.collection_assignees (account_id, period, user_id, assigned_by)
        values (p_account_id, p_period, lower(btrim(p_user_id)), p_actor)
    on conflict (account_id, period) do update
        set user_id = excluded.user_id, assigned_by = excluded.assigned_by, assigned_at = clock_timestamp()
        where duly.collection_assignees.user_id <> excluded.user_id;
end $$;
