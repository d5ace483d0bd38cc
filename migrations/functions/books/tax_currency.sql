-- VAT of a document in the national currency of its seller (2006/112/EC art. 230), frozen when it is posted.

-- The currency in which a seller says VAT too; empty where there is none.
create or replace function duly.tax_currency_of(p_merchant_id text) returns text language sql stable as $$
    select coalesce((select s.tax_currency from duly.sellers s where s.merchant_id is null or s.merchant_id = p_merchant_id
        order by s.merchant_id nulls last limit 1), '')
$$;

-- The document whose rate a correction takes: a cancellation's and a write-off's own, and the first invoice that a credit note is for. It
-- changes the tax of that supply, whose rate was fixed when it was made (art. 90, 91, 219). Null: it has a rate of its own day.
create or replace function duly.corrected_document(t duly.financial_transactions) returns text language sql immutable as $$
    select case t.classification when 'credit_note' then t.addressed_invoice_ids[1] else t.counterpart_id end
$$;

-- By which rate a document's VAT is said in a currency. No row: no such rate is known.
create or replace function duly.tax_quote(t duly.financial_transactions, p_currency text, p_on date, out rate_on date,
    out document_per_euro numeric, out tax_per_euro numeric) returns setof record language sql stable as $$
    select q.rate_on, q.document_per_euro, q.tax_per_euro from (
        select 1 as place, c.rate_on, c.document_per_euro, c.tax_per_euro from duly.tax_conversions c
        where c.transaction_id = duly.corrected_document(t) and c.currency = p_currency
        union all
        select 2, x.rate_on, x.document_per_euro, x.tax_per_euro from duly.exchange_quote(t.currency, p_currency,
            coalesce((select o.posted_on from duly.financial_transactions o where o.id = duly.corrected_document(t)), p_on)) x) q
    order by q.place limit 1
$$;

-- The VAT of a document in another currency: each rate's by itself, so that the sums of a report by rate are those of the documents.
create or replace function duly.tax_in_currency(t duly.financial_transactions, p_currency text, p_document_per_euro numeric,
    p_tax_per_euro numeric) returns bigint language sql stable as $$
    select coalesce(sum(duly.in_other_currency(x.tax_minor, t.currency, p_currency, p_document_per_euro, p_tax_per_euro)), 0)::bigint
    from (select sum(l.tax_minor)::bigint as tax_minor from duly.transaction_lines l where l.transaction_id = t.id
        group by l.tax_rate_id, case when l.applied_taxes is null then l.tax_percent end) x
$$;

-- Keep with documents that are being posted what their VAT is in the sellers' currencies. An invoice or credit note with VAT whose house
-- sells in another currency is refused without a rate: it could not be made out. One that corrects what has none has none either.
create or replace function duly.freeze_tax_currency(p_ids text[]) returns void language plpgsql as $$
declare
    x record;
begin
    if not exists (select from duly.sellers where tax_currency <> '') then return; end if;
    insert into duly.tax_conversions (transaction_id, currency, rate_on, document_per_euro, tax_per_euro, tax_minor)
    select t.id, c.currency, q.rate_on, q.document_per_euro, q.tax_per_euro,
        duly.tax_in_currency(t, c.currency, q.document_per_euro, q.tax_per_euro)
    from duly.financial_transactions t
    join (select distinct s.tax_currency as currency from duly.sellers s where s.tax_currency <> '') c on c.currency <> t.currency
    cross join lateral duly.tax_quote(t, c.currency, t.posted_on) q
    where t.id = any (p_ids) and not (t.classification = 'invoice' and t.counterpart_id is not null)
    on conflict do nothing;
    select t.idempotency_key, t.currency, t.posted_on, duly.tax_currency_of(null) as tax_currency into x
    from duly.financial_transactions t
    where t.id = any (p_ids) and t.classification in ('invoice', 'credit_note') and t.counterpart_id is null
        and duly.corrected_document(t) is null and duly.tax_currency_of(null) not in ('', t.currency)
        and exists (select from duly.transaction_lines l where l.transaction_id = t.id and l.tax_minor > 0)
        and not exists (select from duly.tax_conversions c where c.transaction_id = t.id and c.currency = duly.tax_currency_of(null))
    order by array_position(p_ids, t.id) limit 1;
    if found then
        perform duly.refuse('configuration', 'exchange_rate_known', jsonb_build_object('key', x.idempotency_key, 'currency', x.currency,
            'tax_currency', x.tax_currency, 'posted_on', x.posted_on));
    end if;
end $$;

-- What stands on a document about its VAT in its seller's currency: as frozen, else by the rates known now. `tax_minor` is null where it
-- should stand there and no rate is known. Null: nothing stands there.
create or replace function duly.tax_conversion_facts(t duly.financial_transactions, p_currency text) returns jsonb
language sql stable as $$
    select jsonb_build_object('currency', p_currency, 'tax_minor', x.tax_minor, 'rate_on', x.rate_on,
        'document_per_euro', x.document_per_euro::text, 'tax_per_euro', x.tax_per_euro::text)
    from (select 1) one
    left join lateral (
        select * from (
            select 1 as place, c.tax_minor, c.rate_on, c.document_per_euro, c.tax_per_euro from duly.tax_conversions c
            where c.transaction_id = t.id and c.currency = p_currency
            union all
            select 2, duly.tax_in_currency(t, p_currency, q.document_per_euro, q.tax_per_euro), q.rate_on, q.document_per_euro, q.tax_per_euro
            from duly.tax_quote(t, p_currency, coalesce(t.posted_on, t.issued_on)) q) f
        order by f.place limit 1) x on true
    where p_currency not in ('', t.currency) and t.classification in ('invoice', 'credit_note', 'invoice_cancellation')
        and (x.tax_minor is not null or t.posted_on is not null
            and exists (select from duly.transaction_lines l where l.transaction_id = t.id and l.tax_minor > 0))
$$;
