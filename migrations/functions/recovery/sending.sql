-- Whether anything may be sent: held once a restore is noticed, and open again when all that was forgotten is known.

-- On another timeline than it was written on before a database opens nothing: it need not wait until somebody has compared it.
create or replace function duly.is_sending_open(p_provider_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select not exists (select from duly.sending where state <> 'open' and (p_provider_id = '' or provider_id = p_provider_id))
        and coalesce((select right(server_line, 8) = duly.timeline() from duly.installation), true)
$$;

-- The timeline of the server's log, as the names of its segments begin.
create or replace function duly.timeline() returns text language sql stable as $$
    select left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)
$$;

-- Refuse what would be sent while sending is held; without a provider, while it is held for any.
create or replace function duly.require_sending(p_provider_id text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if current_setting('duly.is_adopting', true) = 'on' then return; end if;
    if not duly.is_sending_open(p_provider_id) then
        perform duly.refuse('sending_is_held', coalesce((select format('held: nothing is sent to %s, for %s', provider_id, reason)
            from duly.sending where state <> 'open' order by provider_id limit 1), 'held: the database is on another server'));
    end if;
end $$;

-- What every process asks before it does anything: which start of the server answers, why sending is held (empty: it is not),
-- and since when the database's epoch counts.
create or replace function duly.fence_state() returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('server', duly.server_start(), 'log_position', duly.log_position(), 'epoch_began_at', i.epoch_began_at,
        'held', coalesce((select format('held: nothing is sent to %s, for %s', s.provider_id, s.reason) from duly.sending s
            where s.state <> 'open' order by s.provider_id limit 1), ''))
    from duly.installation i
$$;

create or replace function duly.server_start() returns text
language sql stable as $$
    select to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- How far the server's log is safely written.
create or replace function duly.log_position() returns numeric language sql stable as $$
    select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')
$$;

-- The cluster and the timeline of its log. A recovery from a backup to a moment and the promotion of a standby begin a new
-- timeline, a dump comes into another cluster; to start again does neither.
create or replace function duly.server_line() returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select system_identifier || '/' || duly.timeline() from pg_control_system()
$$;

-- How far the database had counted when Temporal was given its beat, and how far the server's log is written.
create or replace function duly.counted() returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('installation', i.id, 'server', duly.server_start(),
        'log_position', duly.log_position(), 'temporal_beat', i.temporal_beat, 'line', duly.server_line(),
        'line_before', i.server_line, 'beat', i.beat, 'compared_server', i.compared_server)
    from duly.installation i
$$;

-- Keep that a start of the server was compared with what others remember, and is held if it has forgotten something: commands
-- need not compare it once more.
create or replace function duly.note_compared(p_server text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.installation set compared_server = p_server where compared_server is distinct from p_server
$$;

-- Keep what Temporal was given last: one that has less has been restored, or lost.
create or replace function duly.note_remembered(p_epoch integer, p_number bigint) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.installation set temporal_beat = array[p_epoch, p_number]
    where temporal_beat is null or temporal_beat < array[p_epoch, p_number]
$$;

-- Write to operators that Temporal has forgotten what it was given last, once.
create or replace function duly.note_temporal_forgot(p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.write_message('temporal_forgot', '', '', '', jsonb_build_object('reason', p_reason),
        array_to_string(temporal_beat, '/')) from duly.installation
$$;

-- Hold what is sent: a database is restored for all providers at once. `p_epoch` is the highest that anybody remembers. What
-- was held already is held anew when something is certain by now, or when the database was restored again meanwhile. True when
-- it was not held so before.
create or replace function duly.hold_sending(p_provider_id text, p_reason text, p_forgot_since timestamptz, p_epoch integer default 1,
    p_is_certain boolean default true)
returns boolean language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.sending;
    v_is_new boolean := false;
    v_is_restored_again boolean;
begin
    select server_line <> duly.server_line() into v_is_restored_again from duly.installation for update;
    update duly.installation set server_line = duly.server_line();
    for s in
        insert into duly.sending as x (provider_id, state, epoch, reason, forgot_since, is_certain)
        select p.id, 'held', greatest(i.epoch, p_epoch), p_reason, p_forgot_since, p_is_certain
        from duly.installation i, (select id from duly.providers union select p_provider_id where p_provider_id <> '' order by 1) p
        on conflict (provider_id) do update set state = 'held', reason = excluded.reason, epoch = excluded.epoch,
            forgot_since = case x.state when 'open' then excluded.forgot_since else least(x.forgot_since, excluded.forgot_since) end,
            declared_at = null, reads = '[]', changed_at = clock_timestamp(),
            is_certain = excluded.is_certain or (x.is_certain and x.state <> 'open')
            where x.state = 'open' or v_is_restored_again or (x.state = 'held' and excluded.is_certain and not x.is_certain)
        returning *
    loop
        v_is_new := true;
        -- What the gateway remembers is adopted as attempts: what merchants were paid within a time is counted anew from these.
        delete from duly.charge_counts;
        perform duly.write_message('sending_held', '', '', '',
            jsonb_build_object('provider', s.provider_id, 'reason', p_reason), s.provider_id || '/' || s.changed_at);
    end loop;
    return v_is_new;
end $$;

-- Hold what nobody has compared yet, where its server is another one.
create or replace function duly.notice_server(p_provider_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.hold_sending(p_provider_id, format('the database was written on server %s, and is on %s', i.server_line,
        duly.server_line()), i.beat_at, i.epoch, p_is_certain => false)
    from duly.installation i where i.server_line <> duly.server_line()
$$;

create or replace function duly.decision_of(p_what text, p_actor text, p_reason text) returns text
language sql stable as $$
    select concat(to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z ', p_what, ', says ', p_actor, ': ', p_reason)
$$;

-- A person says that nothing was forgotten, where nothing but another server was noticed: it was changed over to a standby that
-- had everything.
create or replace function duly.dismiss_restore(p_provider_id text, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.sending;
begin
    perform from duly.installation for update;
    perform duly.notice_server(p_provider_id);
    select * into s from duly.sending where state <> 'open' order by (state = 'held' and not is_certain), provider_id limit 1;
    if not found then
        perform duly.refuse('restore_is_noticed', 'nothing is held');
    elsif s.state <> 'held' or s.is_certain then
        perform duly.refuse('nothing_is_forgotten', format('%s: %s; run recover declare', s.provider_id, s.reason));
    end if;
    update duly.sending set state = 'open', changed_at = clock_timestamp(),
        decisions = decisions || duly.decision_of('nothing forgotten', p_actor, p_reason)
    where state = 'held';
    return duly.recovery_view(p_provider_id);
end $$;

-- A person says since when the database has forgotten, and may know it where nobody has noticed. Numbers that left the house are
-- not given again, and events are read again from before that moment.
create or replace function duly.declare_restore(p_provider_id text, p_moment timestamptz, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.sending;
    v_epochs bigint;
begin
    if p_moment > clock_timestamp() then
        perform duly.refuse('moment_has_passed', 'moment: must be before now');
    end if;
    perform duly.notice_server(p_provider_id);
    if p_moment is not null and duly.is_sending_open(p_provider_id) then
        perform duly.hold_sending(p_provider_id, p_reason, p_moment);
    end if;
    select * into s from duly.sending where provider_id = p_provider_id for update;
    if not found or s.state = 'open' then
        perform duly.refuse('restore_is_noticed', format('provider: %s is not held; say the moment since when its database has '
            'forgotten', p_provider_id));
    elsif s.state = 'recovering' then
        perform duly.refuse('restore_is_noticed', format('provider: the restore of %s is declared already', p_provider_id));
    end if;
    -- Once for all providers that are held by one restore. A backup that is restored a second time has forgotten the epochs since,
    -- and what was numbered in them: each has a million of its own.
    select s.epoch + 1 - epoch into v_epochs from duly.installation;
    update duly.installation set epoch = s.epoch + 1, epoch_began_at = clock_timestamp() where epoch <= s.epoch;
    if found then
        -- Every one there is, but those of series: whoever makes a new one need not think of this.
        perform setval(c.oid::regclass, nextval(c.oid::regclass) + 1000000 * v_epochs) from pg_class c
        where c.relnamespace = 'duly'::regnamespace and c.relkind = 'S' and c.relname not like 'numbers\_%';
        perform duly.leave_numbers_out(coalesce(p_moment, s.forgot_since), p_reason, v_epochs);
        perform duly.leave_refund_files(p_provider_id, s.epoch + 1, coalesce(p_moment, s.forgot_since - interval '5 minutes'));
    end if;
    update duly.sending set state = 'recovering', is_certain = true, epoch = i.epoch, declared_at = clock_timestamp(), changed_at = clock_timestamp(),
        forgot_since = coalesce(p_moment, forgot_since - interval '5 minutes'), reads = '[]',
        decisions = decisions || duly.decision_of('restore declared', p_actor, p_reason)
    from duly.installation i where provider_id = p_provider_id;
    update duly.event_marks m set swept_until = least(m.swept_until, x.forgot_since - interval '2 days') from duly.sending x
    where x.provider_id = p_provider_id and m.provider_id = p_provider_id;
    return duly.recovery_view(p_provider_id);
end $$;

-- Numbers that were given since the backup may be on documents of others: every series goes on with the next million, or one for each
-- epoch that was forgotten. A series that begins anew each year has had numbers of the gap in the years around it.
create or replace function duly.leave_numbers_out(p_since timestamptz, p_reason text, p_epochs bigint) returns void language plpgsql as $$
begin
    insert into duly.number_gaps (stem, first, last, reason)
    select x.stem, x.last + 1, (x.last / 1000000 + p_epochs) * 1000000, p_reason
    from (select u.stem, duly.last_number(u.stem) as last
        from (select prefix as stem from duly.number_series where not is_per_year
            union select s.prefix || y from duly.number_series s,
                generate_series(extract(year from p_since)::integer - 1, extract(year from now())::integer + 1) y
                where s.is_per_year) u) x;
    perform setval(duly.sequence_of(stem)::regclass, greatest(duly.last_number(stem), nextval(duly.sequence_of(stem)::regclass)))
    from duly.number_counters where is_open;
end $$;

-- Where a recovery stands. Reads count from 15 minutes after the restore was declared: what was under way is over by then.
create or replace function duly.recovery_view(p_provider_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('provider', p_provider_id, 'epoch', i.epoch, 'installation', i.id,
        -- As it is going to be where nobody has compared the database yet.
        'state', case when i.server_line <> duly.server_line() then 'held' else coalesce(s.state, 'open') end,
        'is_certain', s.is_certain and i.server_line is not distinct from duly.server_line(),
        'reason', case when i.server_line <> duly.server_line() then 'the database is on another server than before'
            else coalesce(s.reason, '') end, 'forgot_since', s.forgot_since, 'declared_at', s.declared_at, 'epoch_began_at', i.epoch_began_at,
        'quiet_at', s.declared_at + interval '15 minutes', 'now', clock_timestamp(), 'reads', coalesce(s.reads, '[]'),
        'decisions', coalesce(s.decisions, '{}'),
        'reconciled_again_from', duly.reconciled_again_from(p_provider_id),
        -- Of files that a bank has: those of refunds belong to no provider.
        'files', (select coalesce(jsonb_agg(l.object order by l.noted_at, l.object), '[]') from duly.recovery_left l
            where l.settled_at is null and (l.kind = 'refund_files' or (l.kind = 'bank_files' and l.provider_id = p_provider_id))))
    from duly.installation i left join duly.sending s on s.provider_id = p_provider_id
$$;

create or replace function duly.record_recovery_read(p_provider_id text, p_read jsonb) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.sending set reads = reads || p_read, changed_at = clock_timestamp()
    where provider_id = p_provider_id and state = 'recovering';
    if not found then
        perform duly.refuse('restore_is_declared', format('provider: no restore is declared for %s', p_provider_id));
    end if;
    return duly.recovery_view(p_provider_id);
end $$;

-- Open a provider again. Two reads after the silence, ten minutes apart, the last of which found nothing new; what is left for
-- a person is acknowledged by name of who does it.
create or replace function duly.release_sending(p_provider_id text, p_actor text, p_reason text, p_is_acknowledged boolean)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    s duly.sending;
    v_last jsonb;
begin
    select * into s from duly.sending where provider_id = p_provider_id for update;
    v_last := s.reads -> -1;
    if s.state is distinct from 'recovering' then
        perform duly.refuse('restore_is_declared', format('provider: no restore is declared for %s', p_provider_id));
    elsif v_last is null or (v_last ->> 'adopted')::integer > 0 or not exists (
        select from jsonb_array_elements(s.reads) r
        where (r ->> 'read_at')::timestamptz <= (v_last ->> 'read_at')::timestamptz - interval '10 minutes') then
        perform duly.refuse('second_read_finds_nothing',
            'read: the last read must have found nothing new, ten minutes after one before it; run recover read');
    elsif jsonb_array_length(v_last -> 'left') > 0 and not p_is_acknowledged then
        perform duly.refuse('nothing_is_left', format('left: %s objects are left for a person; see recover show, and '
            'acknowledge them', jsonb_array_length(v_last -> 'left')));
    end if;
    insert into duly.recovery_left (provider_id, object, kind, account_id, amount_minor, currency, why)
    select p_provider_id, l ->> 'object', l ->> 'kind', l ->> 'account', (l ->> 'amount_minor')::bigint, l ->> 'currency', l ->> 'why'
    from jsonb_array_elements(v_last -> 'left') l on conflict (provider_id, object) do nothing;
    -- What customers have to be written of it was written before the restore, whoever was interrupted between the two commits.
    update duly.messages set state = 'withheld', reason = 'recovered'
    where audience = 'customer' and state = 'pending' and created_at >= s.declared_at and kind in ('receipt', 'refunded');
    update duly.sending set state = 'open', changed_at = clock_timestamp(),
        decisions = decisions || duly.decision_of('released', p_actor, p_reason)
    where provider_id = p_provider_id;
    return duly.recovery_view(p_provider_id);
end $$;

-- Whether money of an account was taken that a recovery could not write down: it is not charged until that is settled.
create or replace function duly.has_recovery_left(p_account_id text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.recovery_left where account_id = p_account_id and settled_at is null)
$$;

-- Keep that a person, or a later attempt to write it down, has settled what was left.
create or replace function duly.settle_recovery_left(p_provider_id text, p_object text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.recovery_left set settled_at = clock_timestamp(), settled_by = p_actor, settled_because = p_reason
    where (provider_id = p_provider_id or kind = 'refund_files') and object = p_object and settled_at is null;
    if not found then
        perform duly.refuse('object_is_left', format('object: %s is not among what is left', p_object));
    end if;
end $$;
