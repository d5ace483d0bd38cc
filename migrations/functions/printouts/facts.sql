-- What a document says: seller, buyer, lines, and the documents that it belongs to, in one reading.

-- The merchant on whose account at the gateway a transaction's money goes; null: the house sells.
create or replace function duly.merchant_of_document(p_transaction_id text) returns text
language sql stable set search_path = duly, pg_temp as $$
    select p.merchant_id from duly.providers p
    where p.id = coalesce(
        (select t.provider from duly.financial_transactions t where t.id = p_transaction_id),
        (select q.provider_id from duly.payment_requests q join duly.financial_transactions t on t.account_id = q.account_id
         where t.id = p_transaction_id and t.id = any (q.invoices) order by q.created_at limit 1))
$$;

create or replace function duly.seller_facts(p_merchant_id text) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    select to_jsonb(s) - array['merchant_id', 'background_color', 'logo_url', 'templates', 'tax_currency'] from duly.sellers s
    where s.merchant_id is null or s.merchant_id = p_merchant_id order by s.merchant_id nulls last limit 1
$$;

create or replace function duly.buyer_facts(p_account_id text) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    select jsonb_build_object('account_id', a.id, 'name', coalesce(nullif(d.name, ''), a.owner_name), 'email', coalesce(a.email, ''),
        'street', coalesce(d.street, ''), 'addition', coalesce(d.addition, ''), 'postal_code', coalesce(d.postal_code, ''),
        'city', coalesce(d.city, ''), 'country', coalesce(d.country, ''), 'vat_id', coalesce(d.vat_id, ''),
        'reference', coalesce(d.reference, ''))
    from duly.accounts a left join duly.postal_addresses d on d.account_id = a.id where a.id = p_account_id
$$;

create or replace function duly.line_facts(p_transaction_id text) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('position', l.position, 'product_id', l.product_id,
        'name', coalesce(nullif(l.description, ''), p.name, l.product_id), 'quantity', l.quantity::text,
        'unit_price_minor', l.unit_price_minor, 'discount_percent', l.discount_percent::text, 'discount_minor', l.discount_minor,
        'net_minor', l.net_minor, 'tax_percent', l.tax_percent::text, 'tax_minor', l.tax_minor, 'total_minor', l.total_minor,
        'period_from', l.period_from, 'period_to', l.period_to,
        'tax_category', case when l.tax_percent > 0 then 'S' else coalesce(nullif(r.category, 'S'), '') end,
        'exemption', coalesce(r.exemption, '')) order by l.position), '[]')
    from duly.transaction_lines l left join duly.products p on p.id = l.product_id
    left join duly.tax_rates r on r.id = l.tax_rate_id
    where l.transaction_id = p_transaction_id
$$;

-- What a document names beside itself: of a cancellation what it cancels, of a credit note the invoices that it addresses,
-- of all what settles it or what it settles.
create or replace function duly.related_facts(t duly.financial_transactions) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    with related as (
        select 'original' as relation, o.id, o.total_minor as amount_minor from duly.financial_transactions o
        where o.id = t.counterpart_id and t.classification in ('invoice_cancellation', 'payment_cancellation')
        union all
        select 'addressed', o.id, o.total_minor from duly.financial_transactions o where o.id = any (t.addressed_invoice_ids)
        union all
        select 'settled', case when a.credit_id = t.id then a.debit_id else a.credit_id end, sum(a.amount_minor)::bigint
        from duly.current_allocations a where t.id in (a.credit_id, a.debit_id) group by 2
        union all
        select 'cancelled_by', o.id, o.total_minor from duly.financial_transactions o
        where o.counterpart_id = t.id and o.classification in ('invoice_cancellation', 'payment_cancellation')
    )
    select coalesce(jsonb_agg(jsonb_build_object('relation', r.relation, 'number', coalesce(n.number, o.reference_number),
        'classification', o.classification, 'on', coalesce(o.posted_on, o.issued_on), 'amount_minor', r.amount_minor)
        order by r.relation, o.posted_on, length(o.id), o.id), '[]')
    from related r join duly.financial_transactions o on o.id = r.id
    left join duly.transaction_numbers n on n.transaction_id = o.id
$$;

-- What the document of a transaction says now; its seller is null where none is set. Null: there is no such transaction.
create or replace function duly.document_facts(p_transaction_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('transaction_id', t.id, 'classification', t.classification, 'state', t.state,
        'number', coalesce(n.number, ''), 'reference_number', t.reference_number, 'issued_on', t.issued_on, 'posted_on', t.posted_on,
        'due_on', t.due_on, 'currency', t.currency, 'total_minor', t.total_minor, 'locale', a.locale,
        'reason', coalesce((select e.name from duly.transaction_reasons e where e.id = t.issue_reason), ''),
        'method', coalesce((select m.name from duly.payment_methods m where m.id = t.method), ''),
        'payment_reference', coalesce(t.payment_reference, ''),
        'seller', duly.seller_facts(duly.merchant_of_document(t.id)), 'buyer', duly.buyer_facts(t.account_id),
        'lines', duly.line_facts(t.id), 'related', duly.related_facts(t),
        'tax_conversion', duly.tax_conversion_facts(t, duly.tax_currency_of(duly.merchant_of_document(t.id))))
    from duly.financial_transactions t join duly.accounts a on a.id = t.account_id
    left join duly.transaction_numbers n on n.transaction_id = t.id
    where t.id = p_transaction_id
$$;

-- Who sends a statement to whom, and in which language.
create or replace function duly.statement_parties(p_account_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('locale', a.locale, 'seller', duly.seller_facts(null), 'buyer', duly.buyer_facts(a.id))
    from duly.accounts a where a.id = p_account_id
$$;
