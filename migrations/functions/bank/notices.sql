-- Notices to payers of the debits of their bank accounts (pre-notification, EPC016-06): one letter for a debit and its day of collection,
-- with amount, day, mandate reference and creditor identifier, so many days of the calendar before that day.

-- By which days a debit is asked for. Where a letter goes out, it may go out on the day after.
create or replace function duly.debit_terms(p_idempotency_key text, p_provider_id text) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_terms jsonb := duly.creditor_of(p_provider_id);
    v_days integer := coalesce((select m.notice_days from duly.gateway_attempts a join duly.mandates m on m.id = a.token
        where a.idempotency_key = p_idempotency_key), (v_terms ->> 'notice_days')::integer);
begin
    return v_terms || jsonb_build_object('notice_days', v_days + case v_terms ->> 'notice_by' when 'mail' then 1 else 0 end);
end $$;

-- The id of the message about a debit and its day: no day is notified of twice.
create or replace function duly.debit_notice_id(d duly.debits) returns text language sql immutable as $$
    select concat_ws('/', 'debit_announced', d.account_id, d.id, to_char(d.collect_on, 'YYYY-MM-DD'))
$$;

-- Write the letter about a debit, where the creditor notifies by mail.
create or replace function duly.announce_debit(d duly.debits) returns void
language sql set search_path = duly, pg_temp as $$
    insert into duly.messages (id, audience, kind, account_id, parameters)
    select duly.debit_notice_id(d), duly.audience_of('debit_announced'), 'debit_announced', d.account_id,
        jsonb_build_object('amount_minor', d.amount_minor, 'currency', d.currency, 'at', to_char(d.collect_on, 'YYYY-MM-DD'),
            'debit', d.id, 'mandate', d.mandate_id, 'creditor', c.creditor_identifier,
            'object', coalesce((select left((duly.written_by(m, r.invoices)) ->> 'text', 140) from duly.mandates m, duly.gateway_requests r
                where m.id = d.mandate_id and r.id = d.request_id), ''))
    from duly.creditors c where c.id = d.provider_id and c.notice_by = 'mail'
    on conflict (id) do nothing
$$;

-- Whether the payer of a debit was notified of its day in time, by a letter that a mail server has taken, or is by whoever invoices.
create or replace function duly.is_debit_announced(d duly.debits) returns boolean
language sql stable set search_path = duly, pg_temp as $$
    select c.notice_by = 'invoice' or exists (select from duly.messages n where n.id = duly.debit_notice_id(d) and n.state = 'sent'
        and (n.sent_at at time zone c.time_zone)::date + coalesce(m.notice_days, c.notice_days) <= d.collect_on)
    from duly.creditors c, duly.mandates m where c.id = d.provider_id and m.id = d.mandate_id
$$;

-- Debits that a letter has to be written about at a moment: with their day, where it can still be in time, else (`is_late`) with a later
-- one; 5,000 at most, the earliest days first, the rest with the next sweep. A letter that no mail server takes is a person's (`messages
-- resend`), and so is a late debit that the creditor's rule holds.
create or replace function duly.debits_to_announce(p_now timestamptz)
returns table (id text, collect_on date, is_late boolean, notice_days integer, lead_days integer, cut_off text, time_zone text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.id, d.collect_on, late.is_late, coalesce(m.notice_days, c.notice_days)::integer, c.lead_days::integer, c.cut_off, c.time_zone
    from duly.debits d join duly.creditors c on c.id = d.provider_id join duly.mandates m on m.id = d.mandate_id
    cross join lateral (select (p_now at time zone c.time_zone)::date + coalesce(m.notice_days, c.notice_days) > d.collect_on as is_late) late
    left join duly.messages n on n.id = duly.debit_notice_id(d)
    where d.state = 'pending' and c.notice_by = 'mail' and not duly.is_debit_announced(d)
      and case when late.is_late then c.late_notice = 'move' and coalesce(n.state, 'pending') in ('pending', 'sent') else n.id is null end
    order by d.collect_on, d.account_id, d.id limit 5000
$$;

-- Write letters about debits for the days that are given, to which those debits move; return how many there are. A debit that somebody
-- works on at this moment has its letter the next time: nobody waits for it.
create or replace function duly.announce_debits(p_days jsonb) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    d duly.debits;
    v_written integer := 0;
begin
    for d in select x.* from duly.debits x join jsonb_each_text(p_days) g on g.key = x.id
            where x.state = 'pending' order by x.account_id, x.id for update of x skip locked loop
        -- Late once more by its new day, it is told once more.
        update duly.debits set collect_on = (p_days ->> d.id)::date, alerted_at = null where id = d.id
            and collect_on <> (p_days ->> d.id)::date;
        d.collect_on := (p_days ->> d.id)::date;
        perform duly.announce_debit(d);
        v_written := v_written + 1;
    end loop;
    return v_written;
end $$;

-- How many debits are due up to a day and are in no file, because their payers were not notified in time.
create or replace function duly.count_unannounced_debits(p_provider_id text, p_until date) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select count(*) from duly.debits d
    where d.provider_id = p_provider_id and d.state = 'pending' and d.collect_on <= p_until and not duly.is_debit_announced(d)
$$;
