-- What the document of a bill says (F162, X57): its sums as they were when it was made, its postings, and what is unsettled of its
-- invoices today. Postings from before an account's first bill are in what was brought forward and not named one by one.
create or replace function duly.bill_facts(p_bill_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select to_jsonb(b) - array['id', 'account_id', 'is_exceptional', 'exceeded_minor', 'run_id', 'actor', 'made_by', 'made_at']
        || jsonb_build_object('made_on', (b.made_at at time zone a.time_zone)::date, 'as_of', (now() at time zone a.time_zone)::date,
            'locale', a.locale, 'seller', duly.seller_facts(null), 'buyer', duly.buyer_facts(a.id),
            'collected_by', coalesce(duly.collected_by(a.id), ''), 'postings', coalesce((
                select jsonb_agg(jsonb_build_object('is_billed', e.part = 'document', 'on', t.posted_on,
                    'number', coalesce(t.number, t.reference_number), 'classification', t.classification, 'due_on', t.due_on,
                    'amount_minor', case t.side when 'debit' then t.total_minor else -t.total_minor end,
                    'unsettled_minor', case when t.classification = 'invoice' then coalesce(t.unsettled_minor, 0) else 0 end,
                    'is_cancelled', t.state = 'cancelled') order by t.account_version)
                from duly.bill_entries e join duly.transactions t on t.id = e.transaction_id
                where e.bill_id = b.id and e.part <> 'before'), '[]'))
    from duly.account_bills b join duly.accounts a on a.id = b.account_id
    where b.id = p_bill_id
$$;

-- By which method an account's invoices are collected without its doing: it prefers one for which it has a card or a mandate that may be
-- used. Null: it pays by itself.
create or replace function duly.collected_by(p_account_id text) returns text
language sql stable set search_path = duly, pg_temp as $$
    select m.name from duly.payment_preferences p join duly.payment_methods m on m.id = p.payment_method_id
    where p.account_id = p_account_id and p.is_default
      and (exists (select from duly.cards c where c.preference_id = p.id and c.state = 'active' and c.is_recurring)
        or exists (select from duly.mandates d where d.preference_id = p.id and d.state in ('signed', 'active')))
    limit 1
$$;
