-- Clocks that differ, as workers have seen them: while the database's is wrong nothing is dated by it, and no money expires.

-- Keep what a worker has seen; of a provider that is not configured yet, whose worker may be there before it, nothing. A reading that is worse than this one stays for two minutes: workers have clocks of their own.
create or replace function duly.note_clocks(p_provider_id text, p_apart_seconds integer, p_database_seconds integer, p_culprit text,
    p_reason text)
returns void language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.clock_readings as c (provider_id, apart_seconds, database_seconds, culprit, reason)
    select id, p_apart_seconds, p_database_seconds, p_culprit, p_reason from duly.providers where id = p_provider_id
    on conflict (provider_id) do update set apart_seconds = excluded.apart_seconds, database_seconds = excluded.database_seconds,
        culprit = excluded.culprit, reason = excluded.reason, noted_at = excluded.noted_at
    -- A reading of the future was written by a clock that was ahead, and is over once that is right.
    where excluded.apart_seconds >= c.apart_seconds
        or excluded.noted_at not between c.noted_at - interval '2 minutes' and c.noted_at + interval '2 minutes'
        or abs(excluded.database_seconds - c.database_seconds) > 60
$$;

-- Why nothing may be dated by the database's clock now; null where it may. What nobody has seen for ten minutes is no reason.
create or replace function duly.why_not_dated() returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select 'the clock of the database is ' || abs(database_seconds) || ' s '
        || case when database_seconds > 0 then 'ahead of' else 'behind' end || ' that of the gateway of ' || provider_id
    from duly.clock_readings
    where abs(database_seconds) > 60 and noted_at > clock_timestamp() - interval '10 minutes'
    order by noted_at desc limit 1
$$;
