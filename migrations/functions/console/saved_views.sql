-- Views of lists: a person's own, or shared with all by those who may share.

-- Keep the filters of a list under a name and return the view's id. The same again is the same view.
create or replace function duly.save_view(p_list text, p_name text, p_filters jsonb, p_is_shared boolean, p_user_id text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_most integer := case when p_is_shared then 50 else 20 end;
    v duly.saved_views;
begin
    -- Two at once do not pass the limit together.
    perform pg_advisory_xact_lock(hashtextextended('saved_views/' || p_list || case when p_is_shared then '' else '/' || p_user_id end, 0));
    select * into v from duly.saved_views
        where list = p_list and lower(name) = lower(p_name) and is_shared = p_is_shared and (is_shared or saved_by = p_user_id);
    if v.id is not null and v.filters = p_filters then return v.id; end if;
    if v.id is not null then
        perform duly.refuse('view_name_is_new', format('name: there is a view %s of this list already: rename or delete it first', v.name));
    end if;
    if (select count(*) from duly.saved_views where list = p_list and is_shared = p_is_shared and (is_shared or saved_by = p_user_id)) >= v_most then
        perform duly.refuse('views_are_few', format('name: there are %s %s views of this list: delete one first', v_most,
            case when p_is_shared then 'shared' else 'own' end));
    end if;
    insert into duly.saved_views (list, name, filters, is_shared, saved_by) values (p_list, p_name, p_filters, p_is_shared, p_user_id)
        returning id into v.id;
    return v.id;
end $$;

-- Refuse to change a view that is another's, or shared where its asker may not share; one that is gone has no list.
create or replace function duly.require_own_view(p_id text, p_user_id text, p_may_share boolean) returns duly.saved_views
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v duly.saved_views;
begin
    select * into v from duly.saved_views where id = p_id for update;
    -- Another's own is as if it were not there.
    if v.id is null or (not v.is_shared and v.saved_by <> p_user_id) then
        perform duly.refuse('view_exists', 'view: there is no such view any more');
    elsif v.is_shared and not p_may_share then
        perform duly.refuse('shared_views_are_administrators', 'view: is shared with all, and administrators change it');
    end if;
    return v;
end $$;

create or replace function duly.rename_view(p_id text, p_name text, p_user_id text, p_may_share boolean) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v duly.saved_views := duly.require_own_view(p_id, p_user_id, p_may_share);
begin
    if exists (select from duly.saved_views o where o.list = v.list and lower(o.name) = lower(p_name) and o.id <> v.id
        and o.is_shared = v.is_shared and (v.is_shared or o.saved_by = v.saved_by)) then
        perform duly.refuse('view_name_is_new', format('name: there is a view %s of this list already', p_name));
    end if;
    update duly.saved_views set name = p_name, changed_at = clock_timestamp() where id = p_id;
end $$;

-- Delete a view; one that is gone already is as it is wanted.
create or replace function duly.delete_view(p_id text, p_user_id text, p_may_share boolean) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if not exists (select from duly.saved_views where id = p_id) then return; end if;
    perform duly.require_own_view(p_id, p_user_id, p_may_share);
    delete from duly.saved_views where id = p_id;
end $$;
