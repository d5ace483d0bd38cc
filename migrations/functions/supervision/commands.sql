-- Commands of the command line: kept before their work begins, then with what became of them.

create or replace function duly.begin_command(p_name text, p_subject text, p_actor text, p_reason text) returns bigint
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.commands (name, subject, actor, reason) values (p_name, p_subject, p_actor, p_reason) returning id
$$;

create or replace function duly.end_command(p_id bigint, p_outcome text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.commands set outcome = p_outcome, ended_at = now() where id = p_id and outcome = 'begun'
$$;

-- The commands that no log has yet, each for one caller alone: those that are over, and those that were cut off.
create or replace function duly.commands_to_log(p_limit integer)
returns table (id bigint, name text, subject text, actor text, reason text, outcome text)
language sql security definer set search_path = duly, pg_temp as $$
    update duly.commands c set logged_at = now() where c.id in (
        select x.id from duly.commands x
        where x.logged_at is null and (x.ended_at is not null or x.given_at < now() - interval '1 hour')
        order by x.id limit p_limit for update skip locked)
    returning c.id, c.name, c.subject, c.actor, c.reason, c.outcome
$$;
