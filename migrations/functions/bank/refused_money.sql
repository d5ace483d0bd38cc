-- Money of debits that the bank has refused: many banks bring a file whole and take back by lines of their own what they have refused.
-- It lies in suspense until the bank takes it back, or a person moves it.

-- The payment that brought what a refused debit asked for; null where nothing has, or it was taken back.
create or replace function duly.brought_for_refused(p_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select t.id from duly.financial_transactions t
    where t.idempotency_key = 'debit:' || p_id || ':brought'
      and not exists (select from duly.financial_transactions c where c.idempotency_key = 'debit:' || p_id || ':returned')
$$;

-- The debits of a credit that only comes to its amount with what the bank has refused after it was filed; none otherwise.
create or replace function duly.debits_with_refused(p_currency text, p_amount_minor bigint, p_named text[], p_batches text[])
returns text[] language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select array_agg(d.id order by d.id) from duly.debits d
        join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
        where (d.id = any (p_named) or cardinality(p_named) = 0 and (d.payment_information = any (p_batches) or d.batch_id = any (p_batches)))
          and d.currency = p_currency and d.batch_id is not null and (d.state = 'exported' and not duly.is_final(a.outcome)
            or d.state = 'rejected' and not exists (select from duly.financial_transactions t
                where t.idempotency_key = 'debit:' || d.id || ':brought'))
        having sum(d.amount_minor) = p_amount_minor and bool_or(d.state = 'rejected')), '{}')
$$;

-- What has come for a refused debit, in suspense with the debit as its reference.
create or replace function duly.keep_for_refused(d duly.debits, p_booked_on date) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.create_payment('debit:' || d.id || ':brought', duly.system_account('suspense', d.currency), d.amount_minor, d.currency,
        'bank_transfer', p_issued_on => p_booked_on, p_payment_reference => d.id, p_origin => 'system', p_actor => 'system')
$$;

-- The bank takes back what it had brought of a refused debit, wherever it lies by now; its charges are ours. What of the line is neither.
create or replace function duly.take_back_refused(d duly.debits) returns void
language sql security definer set search_path = duly, pg_temp as $$
    select duly.return_standing('debit:' || d.id || ':returned', duly.brought_for_refused(d.id), d.amount_minor, d.id || ':returned',
        'Debit refused, and taken back: ' || d.code, 'system', 'system')
$$;
