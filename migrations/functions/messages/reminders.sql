-- Reminders of invoices that fall due and that are overdue (S8, S21), for customers who pay by themselves. Each is one row
-- of the outbox, its id made of the invoice and the rule's day, so that none is written twice.

-- The reminders that are due at a moment, on each account's own calendar: never of what is settled, being collected,
-- given up or disputed, nor of a rest that no gateway takes, nor of a terminated account. A day that was missed is made good within a week.
create or replace function duly.reminders_at(p_now timestamptz)
returns table (message_id text, kind text, account_id text, invoice_id text, amount_minor bigint, currency text, due_on date)
language sql stable security definer set search_path = duly, pg_temp as $$
    with rule as (
        select distinct on (a.id) a.id as account_id, (p_now at time zone a.time_zone)::date as today, r.days_before, r.days_after
        from duly.accounts a join duly.reminder_rules r on r.segment = '' or duly.is_of_segment(r.segment, a)
        where a.kind = 'customer' and a.state <> 'terminated' and a.email is not null
          and (r.reminds_card_payers or not exists (select from duly.cards c
              where c.account_id = a.id and c.state = 'active' and c.is_recurring)
            or duly.pays_by_itself(a.id))
          and not exists (select from duly.mail_stops s where s.account_id = a.id and s.address_hash = duly.address_hash(a.email))
        order by a.id, duly.segment_rank(r.segment, a), r.segment, r.version desc
    ),
    open as (
        select r.*, t.id as invoice_id, t.currency, t.due_on, o.amount_minor - o.allocated_minor as amount_minor,
            (select min(d) from unnest(r.days_before) d where t.due_on - r.today between 0 and d) as before,
            (select max(d) from unnest(r.days_after) d where r.today - t.due_on between d and d + 6) as after
        from rule r join duly.open_items o on o.account_id = r.account_id and o.side = 'debit' and o.allocated_minor < o.amount_minor
        join duly.financial_transactions t on t.id = o.transaction_id and t.classification = 'invoice' and t.state = 'posted'
            and duly.chargeable_part(o.amount_minor - o.allocated_minor, t.currency) > 0
            -- A top-up that is not paid is withdrawn, and no debt.
            and not exists (select from duly.wallet_top_ups u where u.invoice_id = o.transaction_id and u.state = 'requested')
    )
    select case when o.before is not null then 'invoice_due/' else 'invoice_overdue/' end || o.invoice_id || '/' || coalesce(o.before, o.after),
        case when o.before is not null then 'invoice_due' else 'invoice_overdue' end, o.account_id, o.invoice_id,
        o.amount_minor, o.currency, o.due_on
    from open o
    where coalesce(o.before, o.after) is not null
      and not exists (select from duly.owned_invoices w where w.invoice_id = o.invoice_id)
      and not exists (select from duly.collections c where c.account_id = o.account_id and c.stage = 'given_up'
          and o.invoice_id = any (c.invoices)
          and not exists (select from duly.payment_requests q where q.account_id = c.account_id and q.period = c.period))
      and not exists (select from duly.disputes d where d.account_id = o.account_id and d.closed_at is null)
      and not exists (select from duly.messages m where m.id
          = case when o.before is not null then 'invoice_due/' else 'invoice_overdue/' end || o.invoice_id || '/' || coalesce(o.before, o.after))
    order by o.account_id, o.due_on, o.invoice_id
$$;

create or replace function duly.write_reminders(p_now timestamptz) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_written integer;
begin
    -- Noon of the day, for a worker of an older release reads a moment; ours reads the day of it.
    insert into duly.messages (id, audience, kind, account_id, parameters)
    select r.message_id, duly.audience_of(r.kind), r.kind, r.account_id, jsonb_build_object('amount_minor', r.amount_minor, 'currency', r.currency,
        'transaction_id', r.invoice_id, 'at', to_char(r.due_on, 'YYYY-MM-DD') || 'T12:00:00+00:00')
    from duly.reminders_at(p_now) r
    on conflict (id) do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end $$;
