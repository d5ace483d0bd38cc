-- The beat of a database that counts, and what it notices: a clock that was set back, and the customer with whom others keep it.

-- Keep which customer at a provider's account stands for this installation.
create or replace function duly.note_witness(p_provider_id text, p_reference text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.gateway_witnesses as w (provider_id, reference) values (p_provider_id, p_reference)
    on conflict (provider_id) do update set reference = excluded.reference, noted_at = excluded.noted_at
    where w.reference <> excluded.reference
$$;

-- The database's clock has been set back. What was put off by the clock that was ahead would wait until that moment comes: it is due
-- now, and who looks puts it off anew. No event and no transfer waits for more than a day.
create or replace function duly.hurry_what_waits() returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.gateway_events set next_try_at = clock_timestamp()
    where state = 'waiting' and (received_at > clock_timestamp() or next_try_at > clock_timestamp() + interval '1 day');
    update duly.merchant_transfers set next_try_at = clock_timestamp()
    where state <> 'settled' and (created_at > clock_timestamp() or next_try_at > clock_timestamp() + interval '6 hours');
    update duly.mass_actions set active_at = clock_timestamp() where ended_at is null and active_at > clock_timestamp();
$$;

-- Raise the beat, and return it with the moment of the one before it. `set_back_seconds`: how far the clock was set back since, where
-- that is more than a minute.
create or replace function duly.raise_beat() returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_before timestamptz;
    v_set_back integer;
    i duly.installation;
begin
    select beat_at into strict v_before from duly.installation for update;
    v_set_back := extract(epoch from v_before - clock_timestamp());
    if v_set_back > 60 then
        perform duly.hurry_what_waits();
    end if;
    update duly.installation set beat = beat + 1, beat_at = clock_timestamp(),
        server_line = coalesce(server_line, duly.server_line()) returning * into i;
    return jsonb_build_object('installation', i.id, 'epoch', i.epoch, 'number', i.beat, 'before', least(v_before, i.beat_at),
        'set_back_seconds', greatest(v_set_back, 0));
end $$;
