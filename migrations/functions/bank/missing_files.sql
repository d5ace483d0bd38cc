-- Files of debits that the bank has and a restored database has forgotten: nothing new is exported before a person has seen to them.

-- What is left of them by a recovery; null: nothing.
create or replace function duly.missing_files(p_provider_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select min(object) from duly.recovery_left where provider_id = p_provider_id and kind = 'bank_files' and settled_at is null
$$;

create or replace function duly.require_no_missing_file(p_provider_id text) returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if duly.missing_files(p_provider_id) is not null then
        perform duly.refuse('files_are_known', format('provider: the bank may have files of %s that a restored database has '
            'forgotten; `debits adopt` each, then `recover settle %s`', p_provider_id, duly.missing_files(p_provider_id)));
    end if;
end $$;

-- One debit of such a file is the bank's again, under the file's ids. One that was asked for in the gap is unknown here, and was asked
-- for anew since: it is known by its mandate, amount and invoices; by the first two alone where `p_is_last` says that no other debit of
-- the file may be meant. What was asked for before the backup has its own id in whatever file it is. 'adopted', 'unchanged' where it
-- is in that file already, or 'unclear'.
create or replace function duly.adopt_debit(p_provider_id text, p_batch_id text, p_payment_information text, p_id text,
    p_mandate_id text, p_amount_minor bigint, p_currency text, p_sequence_type text, p_collect_on date, p_text text, p_is_last boolean,
    p_actor text, p_reason text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mandates;
    d duly.debits;
begin
    perform from duly.creditors where id = p_provider_id for no key update;
    if not found then
        perform duly.refuse('creditor_exists', format('provider: %s has no creditor; apply definitions', p_provider_id));
    end if;
    perform from duly.account_balances b join duly.mandates x on x.account_id = b.account_id where x.id = p_mandate_id
    for no key update of b;
    select * into m from duly.mandates where id = p_mandate_id and provider_id = p_provider_id for no key update;
    if not found then
        perform duly.refuse('mandate_exists', format('mandate: %s has no mandate %s', p_provider_id, p_mandate_id));
    end if;
    select * into d from duly.debits where id = p_id for update;
    if d.batch_id = p_batch_id then return 'unchanged'; end if;
    if duly.missing_files(p_provider_id) is null then
        perform duly.refuse('file_is_missing', format('provider: no file of %s is missing', p_provider_id));
    end if;
    if d.id is null then
        select x.* into d from duly.debits x join duly.gateway_requests r on r.id = x.request_id
        where x.mandate_id = p_mandate_id and x.amount_minor = p_amount_minor and x.currency = p_currency and x.state = 'pending'
            and (p_is_last or duly.written_by(m, r.invoices) ->> 'text' = p_text) and x.created_at >= (select min(noted_at)
                from duly.recovery_left where provider_id = p_provider_id and kind = 'bank_files' and settled_at is null)
        order by x.created_at, x.id limit 1 for no key update of x;
        if d.id is null and not p_is_last then return 'unclear'; end if;
    end if;
    if d.id is null then
        perform duly.refuse('debit_exists', format('debit: %s is unknown, and nothing of its amount waits by %s; let the run ask for '
            'it, then adopt the file once more', p_id, p_mandate_id));
    elsif (d.mandate_id, d.amount_minor, d.currency, d.state) is distinct from (p_mandate_id, p_amount_minor, p_currency, 'pending') then
        perform duly.refuse('debit_waits', format('debit: %s is %s here, or of another mandate or amount', d.id, d.state));
    end if;
    insert into duly.debit_batches (id, provider_id, state, creditor, decisions, sent_at)
    select p_batch_id, p_provider_id, 'sent', to_jsonb(c), array[duly.mandate_decision('adopted', p_actor, p_reason)], clock_timestamp()
    from duly.creditors c where c.id = p_provider_id on conflict (id) do nothing;
    if d.id <> p_id then
        update duly.gateway_attempts set gateway_reference = p_id where (request_id, attempt) = (d.request_id, d.attempt);
        update duly.gateway_requests set gateway_reference = p_id where id = d.request_id and gateway_reference = d.id;
    end if;
    update duly.debits x set id = p_id, state = 'exported', batch_id = p_batch_id, payment_information = p_payment_information,
        sequence_type = p_sequence_type, collect_on = p_collect_on, alerted_at = null,
        written = duly.written_by(m, r.invoices) || jsonb_build_object('is_amended', m.is_amended)
    from duly.gateway_requests r where x.id = d.id and r.id = d.request_id;
    update duly.mandates set state = case state when 'signed' then 'active' else state end, is_amended = false,
        last_used_on = greatest(last_used_on, p_collect_on)
    where id = p_mandate_id;
    return 'adopted';
end $$;
