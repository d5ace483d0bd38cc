-- The credit note that a refund for returned goods brings.

-- What is left to credit of an invoice, by product and tax: billed less what credit notes for it have credited. What a tax service says
-- is given back of its taxes nobody here knows: such lines are credited by a credit note in a document.
create or replace function duly.uncredited_lines(p_invoice_id text)
returns table (product_id text, product_name text, tax_rate_id text, tax_percent numeric, net_minor bigint, total_minor bigint)
language sql stable security definer set search_path = duly, pg_temp as $$
    with lines as (
        select l.product_id, l.tax_rate_id, l.tax_percent, l.net_minor, l.total_minor
        from duly.transaction_lines l where l.transaction_id = p_invoice_id and l.applied_taxes is null
        union all
        select l.product_id, null, l.tax_percent, -l.net_minor, -l.total_minor
        from duly.financial_transactions i
        join duly.financial_transactions t on t.account_id = i.account_id and t.classification = 'credit_note'
            and t.state = 'posted' and i.id = any (t.addressed_invoice_ids)
        join duly.transaction_lines l on l.transaction_id = t.id and l.applied_taxes is null
        where i.id = p_invoice_id
    )
    select l.product_id, p.name, max(l.tax_rate_id), l.tax_percent, sum(l.net_minor)::bigint, sum(l.total_minor)::bigint
    from lines l join duly.products p on p.id = l.product_id
    group by l.product_id, p.name, l.tax_percent order by l.product_id, l.tax_percent
$$;

-- What is planned to be credited of an invoice, or of a product of it, by refunds that are not posted yet and may still be.
create or replace function duly.planned_credits(p_invoice_id text, p_but_not text, p_product_id text default null) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(sum(case when p_product_id is null then c.amount_minor else (
            select sum((l ->> 'total_minor')::bigint) from jsonb_array_elements(c.document -> 'lines') l
            where l ->> 'product_id' = p_product_id) end), 0)::bigint
    from duly.refund_credits c
    join duly.gateway_requests r on r.id = c.refund_id and r.state not in ('posted', 'rejected', 'reversed')
    where c.invoice_id = p_invoice_id and c.credit_note_id is null and c.refused_because = '' and c.refund_id <> p_but_not
$$;

-- What a refund of a payment may credit: the rest of the payment, and the invoices that it settles, or the one named.
create or replace function duly.credit_basis(p_payment_id text, p_invoice_id text default null) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('left_minor', coalesce((duly.payment_left(duly.payment_request_of(p_payment_id))).left_minor, 0),
        'invoices', (select coalesce(jsonb_agg(jsonb_build_object('invoice_id', i.id, 'account_id', i.account_id, 'number', n.number,
                'left_minor', greatest(x.left_minor - duly.planned_credits(i.id, ''), 0), 'lines', x.lines) order by n.number), '[]')
            from duly.financial_transactions i
            left join duly.transaction_numbers n on n.transaction_id = i.id
            cross join lateral (select coalesce(sum(u.total_minor), 0)::bigint as left_minor,
                jsonb_agg(jsonb_build_object('product_id', u.product_id, 'product_name', u.product_name,
                    'tax_rate_id', u.tax_rate_id, 'tax_percent', u.tax_percent::text,
                    'left_minor', greatest(u.total_minor - duly.planned_credits(i.id, '', u.product_id), 0))) as lines
                from duly.uncredited_lines(i.id) u) x
            where i.classification = 'invoice' and duly.is_payable(i) and case when p_invoice_id is null then i.id in (
                select a.debit_id from duly.allocations a where a.credit_id = t.id
                  and not exists (select from duly.deallocations d where d.allocation_id = a.id))
                else i.id = p_invoice_id and i.account_id = t.account_id end))
    from duly.financial_transactions t where t.id = duly.standing_payment(p_payment_id)
$$;

-- What has filled a wallet, or has sold vouchers, is taken out of it by voiding or cancelling them: a note besides would give the money
-- twice. Their guards would refuse it at the commit only, which books a refund that has left.
create or replace function duly.refuse_credit_of_stored_value(p_invoice_id text) returns void language plpgsql stable as $$
begin
    if exists (select from duly.transaction_lines l join duly.products p on p.id = l.product_id
            and p.ledger_account in ('wallet_clearing', 'wallet_top_ups', 'voucher_clearing') where l.transaction_id = p_invoice_id)
        or exists (select from duly.wallet_top_ups u where u.invoice_id = p_invoice_id) then
        perform duly.refuse('credit_of_stored_value', format('credit: %s fills a wallet or sells vouchers; refund it without a credit '
            'note, and void what it has filled, or cancel what it has sold', p_invoice_id));
    end if;
end $$;

-- Plan the credit note of a refund before it is asked for. Planning the same again changes nothing; false then.
create or replace function duly.plan_refund_credit(p_refund_id text, p_invoice_id text, p_amount_minor bigint, p_document jsonb,
    p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.refund_credits;
begin
    select * into c from duly.refund_credits where refund_id = p_refund_id;
    if not found and exists (select from duly.gateway_requests where id = p_refund_id) then
        perform duly.refuse('id_means_one_request', format('id: %s was asked for without a credit note', p_refund_id));
    elsif not found then
        perform duly.refuse_credit_of_stored_value(p_invoice_id);
        -- The note is posted with the refund's answer, when nobody could be asked any more.
        perform duly.require_alone('credit_note', p_actor, p_refund_id, '', t.account_id, p_amount_minor, t.currency)
            from duly.financial_transactions t where t.id = p_invoice_id;
        insert into duly.refund_credits (refund_id, invoice_id, amount_minor, document, actor, reason)
        values (p_refund_id, p_invoice_id, p_amount_minor, p_document, p_actor, p_reason);
        return true;
    elsif c.invoice_id <> p_invoice_id or c.amount_minor <> p_amount_minor then
        perform duly.refuse('id_means_one_request',
            format('id: %s credits %s of %s', p_refund_id,
            duly.shown_amount(c.amount_minor, (select currency from duly.financial_transactions where id = c.invoice_id)), c.invoice_id));
    end if;
    return false;
end $$;

-- A plan whose refund was refused before it was written down stands for nothing: its id may be asked for anew.
create or replace function duly.drop_refund_credit(p_refund_id text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    delete from duly.refund_credits c where c.refund_id = p_refund_id and c.credit_note_id is null
      and not exists (select from duly.gateway_requests r where r.id = c.refund_id)
$$;

-- A refund that is asked for again brings the credit note that the one before was to bring and has not brought.
create or replace function duly.move_refund_credit(p_from_refund_id text, p_refund_id text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.refund_credits (refund_id, invoice_id, amount_minor, document, actor, reason)
    select p_refund_id, c.invoice_id, c.amount_minor, c.document || jsonb_build_object('key', 'refund-credit:' || p_refund_id),
        c.actor, c.reason
    from duly.refund_credits c where c.refund_id = p_from_refund_id and c.credit_note_id is null
    on conflict (refund_id) do nothing;
    return exists (select from duly.refund_credits where refund_id = p_refund_id);
end $$;

-- Post the credit note that a refund was planned with, in the refund's own commit, once. The money has left: where the ledger
-- refuses the note now, the refund stands without it, and the plan says why.
create or replace function duly.post_refund_credit(p_refund_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.refund_credits;
    v_rule text;
begin
    select * into c from duly.refund_credits where refund_id = p_refund_id and credit_note_id is null for update;
    if not found then return; end if;
    begin
        perform duly.refuse_credit_of_stored_value(c.invoice_id);
        if c.amount_minor > (select coalesce(sum(u.total_minor), 0) from duly.uncredited_lines(c.invoice_id) u) or exists (
            select from (select l ->> 'product_id' as product_id, sum((l ->> 'total_minor')::bigint) as credit_minor
                from jsonb_array_elements(c.document -> 'lines') l group by 1) x
            where x.credit_minor > (select coalesce(sum(u.total_minor), 0) from duly.uncredited_lines(c.invoice_id) u
                where u.product_id = x.product_id)) then
            perform duly.refuse('credit_within_billed', format('credit note: less than %s is left of %s',
                duly.shown_amount(c.amount_minor, (select currency from duly.financial_transactions where id = c.invoice_id)), c.invoice_id));
        end if;
        perform duly.write_documents('credit_note', jsonb_build_array(c.document), false);
    exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
        or sqlstate 'DU001' then
        get stacked diagnostics v_rule = constraint_name;
    end;
    update duly.refund_credits set refused_because = coalesce(v_rule, ''), credit_note_id = (
        select id from duly.financial_transactions where idempotency_key = c.document ->> 'key')
    where refund_id = p_refund_id;
end $$;
