-- Bank debits: asked for by an attempt, written into a file, and sent by a person. What the bank says of them: answers.sql.

-- Our side of a provider's debits, for whoever reckons its days.
create or replace function duly.creditor_of(p_provider_id text) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp as $$
declare
    v_found jsonb;
begin
    select to_jsonb(c) into v_found from duly.creditors c where c.id = p_provider_id;
    if v_found is null then
        perform duly.refuse('creditor_exists', format('provider: %s has no creditor; apply definitions', p_provider_id));
    end if;
    return v_found;
end $$;

-- Ask for the debit of an attempt, once by the attempt's key. A mandate that has ended meanwhile is an answer too.
create or replace function duly.request_debit(p_idempotency_key text, p_collect_on date) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.gateway_attempts;
    r duly.gateway_requests;
    d duly.debits;
begin
    select * into strict a from duly.gateway_attempts where idempotency_key = p_idempotency_key;
    select * into strict r from duly.gateway_requests where id = a.request_id;
    perform from duly.account_balances where account_id = r.account_id for no key update;
    select * into d from duly.debits where idempotency_key = p_idempotency_key;
    if not found then
        if not exists (select from duly.mandates m where m.id = a.token and duly.may_be_debited(m, p_collect_on)) then
            return jsonb_build_object('state', 'rejected', 'id', 'none:' || p_idempotency_key, 'code', 'MD01');
        end if;
        insert into duly.debits (request_id, attempt, idempotency_key, provider_id, mandate_id, account_id, amount_minor, currency,
            collect_on)
        values (a.request_id, a.attempt, p_idempotency_key, r.provider_id, a.token, r.account_id, a.amount_minor, r.currency,
            p_collect_on)
        returning * into d;
        perform duly.announce_debit(d);
    end if;
    return jsonb_build_object('id', d.id, 'state', d.state, 'code', d.code);
end $$;

-- The debit of an attempt; null where none was asked for.
create or replace function duly.debit_of_attempt(p_idempotency_key text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('id', d.id, 'state', d.state, 'code', d.code) from duly.debits d
    where d.idempotency_key = p_idempotency_key
$$;

-- What a file says of a debit by a mandate as it is now.
create or replace function duly.written_by(m duly.mandates, p_invoices text[]) returns jsonb language sql stable as $$
    select jsonb_build_object('payer', m.payer_name, 'iban', m.iban, 'bic', m.bic, 'signed_on', m.signed_on, 'text',
        left((select string_agg(x, ' ') from jsonb_array_elements_text(duly.invoice_numbers(p_invoices)) x), 140))
$$;

-- Put what is due, and what its payer was notified of in time, into a file: each with its mandate as it is now. `p_earliest`: the first
-- day on which the bank can collect what it is given now. Of a mandate that was never used the first debit is its first. Null: nothing is due.
create or replace function duly.batch_debits(p_provider_id text, p_earliest date, p_until date, p_actor text, p_reason text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_batch text;
begin
    perform duly.require_sending(p_provider_id);
    -- One file at a time: two exports at the same moment never share a debit.
    perform from duly.creditors where id = p_provider_id for no key update;
    if not found then
        perform duly.refuse('creditor_exists', format('provider: %s has no creditor; apply definitions', p_provider_id));
    end if;
    perform duly.require_no_missing_file(p_provider_id);
    -- Nothing is taken by a mandate that has expired or that the payer's bank has stopped since: its debit comes to nothing.
    perform duly.lock_accounts(array(select distinct d.account_id from duly.debits d join duly.mandates m on m.id = d.mandate_id
        where d.provider_id = p_provider_id and d.state = 'pending' and d.collect_on <= p_until and not duly.may_be_debited(m, greatest(d.collect_on, p_earliest))));
    perform duly.refuse_debit(d.id, case m.state when 'suspended' then m.state_reason else 'MD01' end)
    from duly.debits d join duly.mandates m on m.id = d.mandate_id
    where d.provider_id = p_provider_id and d.state = 'pending' and d.collect_on <= p_until
        and not duly.may_be_debited(m, greatest(d.collect_on, p_earliest));
    -- The mandates come first, as where one is cancelled: what waits for its file is then what it is.
    perform from duly.mandates m where m.id in (select mandate_id from duly.debits where provider_id = p_provider_id
        and state = 'pending' and collect_on <= p_until) order by m.id for no key update;
    update duly.mandates m set state = 'expired', state_reason = '36 months without a debit'
    where m.provider_id = p_provider_id and duly.is_mandate_expired(m);
    if not exists (select from duly.debits d join duly.mandates m on m.id = d.mandate_id where d.provider_id = p_provider_id
            and d.state = 'pending' and d.collect_on <= p_until and duly.may_be_debited(m, greatest(d.collect_on, p_earliest))
            and duly.is_debit_announced(d)) then
        return null;
    end if;
    insert into duly.debit_batches (provider_id, creditor, decisions)
    select p_provider_id, to_jsonb(c), array[duly.mandate_decision('written', p_actor, p_reason)]
    from duly.creditors c where c.id = p_provider_id returning id into v_batch;
    with due as (
        select d.id, m.state as mandate_state, m.is_amended, greatest(d.collect_on, p_earliest) as collect_on,
            row_number() over (partition by d.mandate_id order by d.collect_on, d.created_at, d.id) as place,
            duly.written_by(m, r.invoices) as written
        from duly.debits d join duly.mandates m on m.id = d.mandate_id join duly.gateway_requests r on r.id = d.request_id
        where d.provider_id = p_provider_id and d.state = 'pending' and d.collect_on <= p_until
          and duly.may_be_debited(m, greatest(d.collect_on, p_earliest)) and duly.is_debit_announced(d)),
    typed as (
        select *, case when mandate_state = 'signed' and place = 1 then 'FRST' else 'RCUR' end as sequence_type from due),
    placed as (
        select *, dense_rank() over (order by sequence_type, collect_on) as information from typed)
    update duly.debits d set state = 'exported', batch_id = v_batch, collect_on = p.collect_on, sequence_type = p.sequence_type,
        -- Late once more by its new day, it is told once more.
        alerted_at = null,
        payment_information = v_batch || '-' || p.information,
        written = p.written || jsonb_build_object('is_amended', p.is_amended and p.place = 1)
    -- One that was declined since these were read is in no file.
    from placed p where d.id = p.id and d.state = 'pending';
    -- Whoever was cancelled meanwhile has no pending debit; a first use is one from now on.
    update duly.mandates m set state = 'active', last_used_on = greatest(m.last_used_on, d.collect_on), is_amended = false
    from (select mandate_id, max(collect_on) as collect_on from duly.debits where batch_id = v_batch group by mandate_id) d
    where m.id = d.mandate_id;
    return v_batch;
end $$;

-- A person has given a file to the bank. An answer about it says the same.
create or replace function duly.note_batch_sent(p_batch_id text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    update duly.debit_batches set state = 'sent', sent_at = coalesce(sent_at, clock_timestamp()),
        decisions = case when state = 'sent' then decisions else decisions || duly.mandate_decision('sent', p_actor, p_reason) end
    where id = p_batch_id;
    if not found then
        perform duly.refuse('batch_exists', format('batch: there is no batch %s', p_batch_id));
    end if;
end $$;
