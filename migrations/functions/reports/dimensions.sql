-- What accounts are grouped by in reports, as it was when something was posted.

-- Keep what an account was until now. A change within the moment of the one before replaces nothing: the first is what was so.
create or replace function duly.keep_account_dimension(p_account_id text, p_dimension text, p_value text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.account_dimensions (account_id, dimension, value, valid_from, valid_until)
    select p_account_id, p_dimension, p_value, d.valid_from, clock_timestamp()
    from (select coalesce(max(valid_until), '-infinity') as valid_from from duly.account_dimensions
        where (account_id, dimension) = (p_account_id, p_dimension)) d
    where d.valid_from < clock_timestamp()
    on conflict (account_id, dimension, valid_until) do nothing
$$;

-- The country of an account that has no address yet is not known, which is no change when it gets its first one: what was posted before is
-- reported by it. An erased account keeps what its postings were to: VAT is owed by country whoever the customer was.
create or replace function duly.keep_account_dimensions() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
begin
    if tg_table_name = 'accounts' then
        if old.region is distinct from new.region then perform duly.keep_account_dimension(new.id, 'region', old.region); end if;
        if old.segment is distinct from new.segment then perform duly.keep_account_dimension(new.id, 'segment', old.segment); end if;
    elsif tg_op <> 'INSERT' and (tg_op = 'DELETE' or old.country <> new.country) then
        perform duly.keep_account_dimension(old.account_id, 'country', nullif(old.country, ''));
    end if;
    return null;
end $$;
