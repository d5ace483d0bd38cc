-- Reports by a calendar: who has set what, and what was written for a period, once, with the mail that brings it.

-- Set a schedule; the newest setting counts, and the history of the configuration has those before.
create or replace function duly.set_report_schedule(p_id text, p_definition jsonb, p_format text, p_calendar jsonb, p_recipients text[],
    p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform set_config('duly.actor', p_actor, true), set_config('duly.reason', p_reason, true);
    insert into duly.report_schedules as s (id, definition, format, calendar, recipients, actor, reason)
    values (p_id, p_definition, p_format, p_calendar, p_recipients, p_actor, p_reason)
    on conflict (id) do update set definition = excluded.definition, format = excluded.format, calendar = excluded.calendar,
        recipients = excluded.recipients, actor = excluded.actor, reason = excluded.reason, set_at = clock_timestamp();
end $$;

-- Remove a schedule; false where there is none. What it has written stays.
create or replace function duly.remove_report_schedule(p_id text, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform set_config('duly.actor', p_actor, true), set_config('duly.reason', p_reason, true);
    delete from duly.report_schedules where id = p_id;
    return found;
end $$;

-- Keep what was written for a period, or why nothing could be, and write the mails that bring it, in one commit. A file that is
-- kept stays: who comes second changes nothing. Where there is none, another run of the workflow tries again; the same one, whose worker
-- died before it could answer, has had its try. Returns what is kept.
create or replace function duly.keep_report(p_schedule_id text, p_period text, p_title text, p_file_name text, p_media_type text,
    p_content bytea, p_rows bigint, p_ties boolean, p_problem text,
    p_workflow_id text, p_run_id text default '') returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.report_deliveries;
begin
    insert into duly.report_deliveries as k (schedule_id, period, title, file_name, media_type, content, sha256, row_count, ties, problem,
        recipients, written_by)
    select s.id, p_period, p_title, p_file_name, p_media_type, p_content, coalesce(encode(sha256(p_content), 'hex'), ''), p_rows,
        p_ties, p_problem, s.recipients, p_run_id
    from duly.report_schedules s where s.id = p_schedule_id
    on conflict (schedule_id, period) do update set title = excluded.title, file_name = excluded.file_name,
        media_type = excluded.media_type, content = excluded.content, sha256 = excluded.sha256, row_count = excluded.row_count,
        ties = excluded.ties, problem = excluded.problem, recipients = excluded.recipients, tries = k.tries + 1,
        written_by = excluded.written_by, made_at = clock_timestamp()
        where k.problem <> '' and (excluded.written_by = '' or k.written_by <> excluded.written_by)
    returning * into d;
    if found then
        insert into duly.messages (id, audience, kind, parameters)
        select concat_ws('/', 'report_ready', d.schedule_id, d.period, d.tries, r.place), duly.audience_of('report_ready'), 'report_ready',
            jsonb_build_object('object', d.schedule_id, 'occasion', d.period, 'place', r.place, 'title', d.title, 'count', d.row_count,
                'code', case when d.ties then '' else 'differs' end, 'reason', d.problem, 'workflow', p_workflow_id)
        from generate_series(1, cardinality(d.recipients)) r (place)
        on conflict (id) do nothing;
    end if;
    return duly.kept_report(p_schedule_id, p_period);
end $$;

-- What is kept for a period, without the file; null where nothing is.
create or replace function duly.kept_report(p_schedule_id text, p_period text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('schedule_id', d.schedule_id, 'period', d.period, 'title', d.title, 'file', d.file_name, 'rows', d.row_count,
        'ties', d.ties, 'problem', d.problem, 'recipients', cardinality(d.recipients), 'tries', d.tries)
    from duly.report_deliveries d where (d.schedule_id, d.period) = (p_schedule_id, p_period)
$$;
