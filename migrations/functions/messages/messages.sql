-- Messages to customers and operators: an outbox, written in the commit of the transition that a message tells of.

-- Whether run definition and dunning policy let the customer be notified.
create or replace function duly.notifies_customer(p_account_id text, p_period text, p_run_id text) returns boolean
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    -- In PL/pgSQL the plan is made once a connection and not once a payment.
    return coalesce((
        select d.notifies_customer from duly.process_runs r join duly.run_definitions d on d.id = r.definition_id
        where r.id = p_run_id), true)
    and coalesce((
        select (p.document ->> 'notifies_customer')::boolean
        from duly.collections c join duly.dunning_policies p
            on (p.id, p.segment, p.version) = (c.policy_id, c.policy_segment, c.policy_version)
        where c.account_id = p_account_id and c.period = p_period), true);
end $$;

-- Whom a kind of message is for (FOR_CUSTOMERS in models/messages/message.py).
create or replace function duly.audience_of(p_kind text) returns text
language sql immutable as $$
    select case when p_kind in ('receipt', 'declined', 'card_needed', 'action_required', 'given_up', 'card_expiring',
            'card_confirmation', 'card_rejected', 'invoice_due', 'invoice_overdue', 'refunded', 'refund_returned',
            'payment_requested', 'portal_link', 'communication', 'invoice_posted', 'debit_announced',
            'bill_made')
        then 'customer' else 'operator' end
$$;

create or replace function duly.write_message(p_kind text, p_account_id text, p_period text, p_run_id text, p_parameters jsonb,
    p_transition text default '')
returns void language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.messages (id, audience, kind, account_id, period, run_id, parameters)
    values (concat_ws('/', p_kind, nullif(p_account_id, ''), nullif(p_period, ''), nullif(p_transition, '')),
        duly.audience_of(p_kind),
        p_kind, p_account_id, p_period, coalesce(p_run_id, ''), p_parameters)
    on conflict (id) do nothing
$$;

-- The receipt of a settled receivable, in the commit of its payment: one row.
create or replace function duly.write_receipt(p_account_id text, p_period text, p_run_id text, p_payment_id text,
    p_amount_minor bigint, p_currency text, p_card_id text)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if duly.notifies_customer(p_account_id, p_period, p_run_id) then
        if p_card_id is null then
            -- What its posting was confirmed by, in this commit: this receipt says what it was for, too. Of what a card has
            -- paid no posting is confirmed.
            delete from duly.messages where id = 'receipt/' || p_account_id || '/' || p_payment_id and state = 'pending';
        end if;
        insert into duly.messages (id, audience, kind, account_id, period, run_id, parameters)
        values ('receipt/' || p_account_id || '/' || p_period, duly.audience_of('receipt'), 'receipt', p_account_id, p_period,
            coalesce(p_run_id, ''),
            jsonb_build_object('amount_minor', p_amount_minor, 'currency', p_currency, 'payment_id', p_payment_id,
                'card_id', p_card_id))
        on conflict (id) do nothing;
    end if;
end $$;

-- What a collection that has been given up tells its customer and the operators.
create or replace function duly.write_closing_message(p_collection duly.collections) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_parameters jsonb := jsonb_build_object('amount_minor', least(p_collection.asked_minor, duly.owed_on(p_collection.invoices)),
        'currency', p_collection.currency, 'code', p_collection.reason);
begin
    -- Who is forgiven the debt is not notified that it stands, and what was refused by rule is no customer's matter.
    if p_collection.stage = 'given_up' and p_collection.action <> 'write_off'
        and p_collection.reason in ('attempts_used_up', 'customer_deadline_passed', 'unknown_decline_code', 'operator_gave_up')
        and duly.notifies_customer(p_collection.account_id, p_collection.period, p_collection.run_id) then
        perform duly.write_message('given_up', p_collection.account_id, p_collection.period, p_collection.run_id,
            v_parameters);
    end if;
    if p_collection.stage = 'given_up' and p_collection.action = 'hand_over' then
        perform duly.write_message('handed_over', p_collection.account_id, p_collection.period, p_collection.run_id,
            v_parameters);
    end if;
end $$;

-- Whether what a message is about is no longer so: settled, given up, or notified anew since.
create or replace function duly.is_overtaken(p duly.messages) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select p.kind in ('invoice_due', 'invoice_overdue') and (
        duly.chargeable_part(duly.owed_on(array[p.parameters ->> 'transaction_id']), p.parameters ->> 'currency') = 0
        or exists (select from duly.owned_invoices w where w.invoice_id = p.parameters ->> 'transaction_id'))
    -- Of a request that is over no link leads anywhere, and of one that nobody can pay at the moment nobody is reminded. That a bank has said
    -- no is worth knowing all the same, unless the request was paid on a page since.
    or p.kind = 'payment_requested' and (select case p.parameters ->> 'reason'
            when 'settled' then false
            when 'failed' then q.closed_at is not null and q.end_reason = 'paid'
            when 'reminder' then duly.standing_of_request(q) <> 'open'
            else duly.standing_of_request(q) not in ('open', 'stopped') end
        from duly.payment_request_of_receivable(p.account_id, p.period) q)
    -- What was written of something that has been taken back since would tell what is not so.
    or p.kind in ('communication', 'invoice_posted') and exists (select from duly.financial_transactions t
        where t.id = p.parameters ->> 'transaction_id' and t.state::text <> p.parameters ->> 'state' and t.state in ('cancelled', 'rejected'))
    -- Nor is a receipt sent of a payment that was cancelled, or moved to whose it is, which cancels it here.
    or p.kind = 'receipt' and exists (select from duly.financial_transactions t
        where t.id = p.parameters ->> 'payment_id' and t.state in ('cancelled', 'rejected'))
    or p.kind = 'communication' and exists (select from duly.accounts a where a.id = p.account_id and a.state = 'terminated')
    -- A debit that has ended, or is collected on another day: that has a letter of its own.
    or p.kind = 'debit_announced' and not exists (select from duly.debits d where d.id = p.parameters ->> 'debit'
        and d.state in ('pending', 'exported') and to_char(d.collect_on, 'YYYY-MM-DD') = p.parameters ->> 'at')
    -- A later try has written it, or failed in another way, and has mails of its own.
    or p.kind = 'report_ready' and exists (select from duly.report_deliveries d
        where (d.schedule_id, d.period) = (p.parameters ->> 'object', p.parameters ->> 'occasion')
            and split_part(p.id, '/', 4) < d.tries::text and length(split_part(p.id, '/', 4)) <= length(d.tries::text))
    -- Whoever still wants to get in has asked again.
    or p.kind = 'portal_link' and p.created_at < now() - interval '1 hour'
    or p.kind in ('declined', 'card_needed', 'action_required') and (
        exists (select from duly.collections c
            where c.account_id = p.account_id and c.period = p.period and c.closed_at is not null)
        or not duly.is_owed(p.account_id, p.period)
        -- The ids of a kind and receivable stand side by side in the key: all between "…/" and the next character.
        or exists (select from unnest(array['declined', 'card_needed', 'action_required']) as kinds (kind)
            join duly.messages m on m.id > concat_ws('/', kinds.kind, p.account_id, p.period, '')
                and m.id < concat_ws('/', kinds.kind, p.account_id, p.period) || '0' and m.created_at > p.created_at))
$$;

-- Claim a pending message before it is handed over, with all that its text needs as it is now. Null: not to be sent.
create or replace function duly.claim_message(p_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.messages;
begin
    -- While sending is held nobody knows what a customer was told already: the message waits.
    update duly.messages set state = 'sending', reason = '', claimed_at = clock_timestamp(),
        -- As `message_id` of activities/messages/rendering.py makes it: the same for every sending of it.
        mail_id = (select left(encode(sha256(convert_to(i.id || '/' || p_id, 'UTF8')), 'hex'), 32) from duly.installation i)
    where id = p_id and state = 'pending' and (audience = 'operator' or duly.is_sending_open('')) returning * into m;
    if not found then
        return null;
    elsif duly.is_overtaken(m) then
        update duly.messages set state = 'withheld', reason = 'overtaken' where id = p_id;
        return null;
    elsif duly.mail_stop_of(m) is not null then
        update duly.messages set state = 'withheld', reason = duly.mail_stop_of(m) where id = p_id;
        return null;
    end if;
    return (
        select jsonb_build_object('id', m.id, 'kind', m.kind, 'account_id', m.account_id, 'period', m.period,
            'run_id', m.run_id, 'parameters', m.parameters, 'claimed_at', m.claimed_at, 'created_at', m.created_at,
            'installation', i.id, 'email', coalesce(a.email, ''), 'address_hash', duly.address_hash(coalesce(a.email, '')), 'name',
            -- Whom a sender has named beside the account need not learn whose it is.
            case when (m.parameters ->> 'payer')::integer > 0 then '' else coalesce(a.owner_name, '') end,
            'locale', coalesce(a.locale, 'en'), 'time_zone', coalesce(a.time_zone, 'UTC'),
            'card_brand', coalesce(k.brand, ''), 'card_last4', coalesce(k.last4, ''),
            'title', coalesce(q.title, m.parameters ->> 'title', ''), 'description', coalesce(q.description, ''),
            'recipient', coalesce(case when m.parameters ->> 'to' = 'sender' then q.sender_email
                when (m.parameters ->> 'payer')::integer > 0 then q.payers[(m.parameters ->> 'payer')::integer]
                when m.kind = 'report_ready' then (select d.recipients[(m.parameters ->> 'place')::integer] from duly.report_deliveries d
                    where (d.schedule_id, d.period) = (m.parameters ->> 'object', m.parameters ->> 'occasion')) end, ''),
            'payer', coalesce((m.parameters ->> 'payer')::integer, 0),
            'number', coalesce(n.number, m.parameters ->> 'bill', ''), 'link_token', coalesce(
                case when m.kind = 'card_confirmation' then k.link_token when q.id is null then c.link_token end, ''),
            'standing', w.standing,
            -- Its link is made when it is sent: what it ends in is kept nowhere.
            'request_id', case when m.kind = 'payment_requested' and w.standing in ('open', 'stopped') then q.id else '' end)
            || case when m.kind = 'communication' then jsonb_build_object(
                'texts', (select c.texts from duly.communications c where c.id = m.parameters ->> 'communication'),
                'is_required', (select c.is_required from duly.communications c where c.id = m.parameters ->> 'communication'),
                'record', duly.communication_facts(m.account_id, m.parameters ->> 'transaction_id')) else '{}' end
        from duly.installation i
        left join duly.accounts a on a.id = m.account_id
        left join duly.cards k on k.id = m.parameters ->> 'card_id'
        left join duly.transaction_numbers n
            on n.transaction_id = coalesce(m.parameters ->> 'payment_id', m.parameters ->> 'transaction_id')
        left join duly.payment_requests q on q.account_id = m.account_id and q.period = m.period
        cross join lateral (select case m.kind when 'payment_requested' then duly.standing_of_request(q)
            when 'fraud_suspected' then coalesce(duly.standing_of_suspected(m.parameters ->> 'request'), '') else '' end as standing) w
        left join duly.collections c on c.account_id = m.account_id and c.period = m.period and c.closed_at is null);
end $$;

-- What became of a claimed message; only its own claim may say so.
create or replace function duly.note_message(p_id text, p_claimed_at timestamptz, p_state text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.messages set
        -- What no server has taken for three days is out of date.
        state = case when p_state = 'pending' and queued_at < now() - interval '3 days' then 'failed' else p_state end,
        reason = p_reason, sent_at = case when p_state = 'sent' then clock_timestamp() end
    where id = p_id and state = 'sending' and claimed_at = p_claimed_at
$$;

create or replace function duly.withhold_messages(p_ids text[], p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    update duly.messages set state = 'withheld', reason = p_reason where id = any (p_ids) and state = 'pending'
$$;

-- Send again what failed, was withheld or left unsure; a person has decided it.
create or replace function duly.resend_message(p_id text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.messages;
begin
    select * into m from duly.messages where id = p_id for update;
    if not found then
        perform duly.refuse('message_exists', format('message: there is no message %s', p_id));
    elsif m.state not in ('failed', 'sending', 'withheld') then
        perform duly.refuse('message_not_delivered', format('message: %s is %s', p_id, m.state));
    elsif m.state = 'sending' and m.claimed_at > clock_timestamp() - interval '5 minutes' then
        perform duly.refuse('message_not_in_flight', format('message %s is being sent just now', p_id));
    end if;
    update duly.messages set state = 'pending', reason = '', queued_at = now(), claimed_at = null,
        decisions = decisions || concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z resend, was ', m.state,
            ' ', m.reason, ', says ', p_actor, ': ', p_reason)
    where id = p_id;
end $$;
