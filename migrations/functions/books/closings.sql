-- Closed periods: up to which day nothing is posted any more, and who may post there all the same. Money that has moved is never
-- refused: what names no day of its own is posted today, which is never closed.

create or replace function duly.closed_until() returns date language sql stable as $$
  select closed_until from duly.closings order by id desc limit 1
$$;

-- Who closes waits for those who post on a past day, and they for him; who posts today meets nobody.
create or replace function duly.lock_closings(p_is_closing boolean) returns void language plpgsql as $$
begin
  if p_is_closing then
    perform pg_advisory_xact_lock(hashtext('duly.closings'), 0);
  else
    perform pg_advisory_xact_lock_shared(hashtext('duly.closings'), 0);
  end if;
end $$;

-- The day on which something is posted: today, unless a day was chosen. One that is closed or has not come yet is refused,
-- unless who has the right to it has asked for it in this transaction.
create or replace function duly.open_day(p_posted_on date, p_today date) returns date language plpgsql as $$
declare
  v_closed_until date;
begin
  if p_posted_on is null or p_posted_on = p_today then return p_today; end if;
  perform duly.lock_closings(false);
  v_closed_until := duly.closed_until();
  if p_posted_on > p_today or p_posted_on <= v_closed_until then
    perform from duly.any_day_postings where posted_xid = pg_current_xact_id() and made_at >= now();
    if found then return p_posted_on; end if;
  end if;
  if p_posted_on > p_today then
    perform duly.refuse('postcondition', 'day_has_come', jsonb_build_object('posted_on', p_posted_on, 'today', p_today));
  elsif p_posted_on <= v_closed_until then
    perform duly.refuse('postcondition', 'day_is_open',
      jsonb_build_object('posted_on', p_posted_on, 'closed_until', v_closed_until));
  end if;
  return p_posted_on;
end $$;

-- The day on which a movement that has happened is booked: its own, or the first open one.
create or replace function duly.open_day_of_movement(p_moved_on date) returns date language plpgsql as $$
begin
  if p_moved_on >= (clock_timestamp() at time zone 'UTC')::date then return p_moved_on; end if;
  perform duly.lock_closings(false);
  return greatest(p_moved_on, duly.closed_until() + 1);
end $$;

create or replace function duly.require_who_and_why(p_actor text, p_reason text) returns void language plpgsql as $$
begin
  if coalesce(p_actor, '') = '' then perform duly.refuse('input', 'actor_given', '{}'); end if;
  if coalesce(p_reason, '') = '' then perform duly.refuse('input', 'reason_given', '{}'); end if;
end $$;

-- Close every day up to one that is over in every time zone; returns up to which day they were closed.
create or replace function duly.close_books(p_until date, p_actor text, p_reason text) returns date
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_latest date := (clock_timestamp() at time zone 'Etc/GMT+12')::date - 1;
  v_was date;
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  perform duly.lock_closings(true);
  v_was := duly.closed_until();
  if (isfinite(p_until) and p_until <= v_latest) is not true then
    perform duly.refuse('input', 'day_is_over', jsonb_build_object('day', p_until, 'latest', v_latest));
  elsif p_until < v_was then
    perform duly.refuse('prerequisite', 'close_moves_on', jsonb_build_object('day', p_until, 'closed_until', v_was));
  elsif p_until = v_was then
    return v_was;
  end if;
  insert into duly.closings (closed_until, is_reopening, actor, reason) values (p_until, false, p_actor, p_reason);
  return v_was;
end $$;

-- Open a closed day again, and every day after it; returns up to which day they were closed.
create or replace function duly.reopen_books(p_first date, p_actor text, p_reason text) returns date
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_was date;
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  perform duly.lock_closings(true);
  v_was := duly.closed_until();
  if (isfinite(p_first) and p_first <= v_was) is not true then
    perform duly.refuse('prerequisite', 'day_is_closed', jsonb_build_object('day', p_first, 'closed_until', v_was));
  end if;
  insert into duly.closings (closed_until, is_reopening, actor, reason) values (p_first - 1, true, p_actor, p_reason);
  return v_was;
end $$;

-- A name is that of a user of the console, or of whoever gives commands: in small or large letters it is the same person's. A user
-- who was disabled has no right any more, whatever was given (decision 0273).
create or replace function duly.has_any_day_right(p_holder text) returns boolean language sql stable as $$
  select coalesce((select is_granted from duly.any_day_rights where lower(btrim(holder)) = lower(btrim(p_holder)) order by id desc limit 1), false)
    and not exists (select from duly.users where id = lower(btrim(p_holder)) and state = 'disabled')
$$;

-- Give somebody the right to post outside the open days, or take it away; false when it is so already. Nobody gives it to himself.
create or replace function duly.set_any_day_right(p_holder text, p_is_granted boolean, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  if p_is_granted and lower(btrim(p_holder)) = lower(btrim(p_actor)) then
    perform duly.refuse('prerequisite', 'right_by_another', jsonb_build_object('actor', p_actor));
  end if;
  perform duly.lock_closings(true);
  if duly.has_any_day_right(p_holder) = p_is_granted then return false; end if;
  insert into duly.any_day_rights (holder, is_granted, actor, reason) values (p_holder, p_is_granted, p_actor, p_reason);
  return true;
end $$;

-- Let this transaction post outside the open days; kept with who and why.
create or replace function duly.permit_any_day(p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.require_who_and_why(p_actor, p_reason);
  if not duly.has_any_day_right(p_actor) then
    perform duly.refuse('prerequisite', 'any_day_right', jsonb_build_object('actor', p_actor));
  end if;
  insert into duly.any_day_postings (posted_xid, actor, reason) values (pg_current_xact_id(), p_actor, p_reason);
end $$;
