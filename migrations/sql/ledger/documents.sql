-- Invoices and credit notes: documents with lines, written one or a thousand at a time by the same statements.

create type duly.document as (
  ord bigint, hash bytea, key text, account_id text, currency text, type_id text, category text, issued_on date,
  posted_on date, due_on date, issue_reason text, back_office_code text, invoices text[], origin text, actor text,
  lines jsonb
);

create type duly.document_line as (
  product_id text, description text, quantity numeric, unit_price_minor bigint, discount_percent numeric,
  discount_minor bigint, net_minor bigint, tax_rate_id text, tax_rate numeric, tax_minor bigint, total_minor bigint,
  period_from date, period_to date, sales_channel text, applied_taxes jsonb
);

-- Read the elements once; amounts stay JSON until they are inserted.
create function duly.read_documents(p_batch jsonb) returns duly.document[] language sql stable as $$
  select array_agg(row(r.ord, sha256(convert_to(r.raw::text, 'UTF8')), e.key, e.account_id, e.currency, e.type_id,
      e.category, e.issued_on, e.posted_on, e.due_on, e.issue_reason, e.back_office_code, coalesce(e.invoices, '{}'),
      coalesce(e.origin, 'system'), coalesce(e.actor, 'system'), e.lines)::duly.document order by r.ord)
    from jsonb_array_elements(p_batch) with ordinality r (raw, ord)
    cross join lateral jsonb_to_record(r.raw) as e (key text, account_id text, currency text, type_id text,
      category text, issued_on date, posted_on date, due_on date, issue_reason text, back_office_code text,
      invoices text[], origin text, actor text, lines jsonb)
$$;

-- The elements that are new. A key that was used before must come with the same element.
create function duly.new_documents(p_documents duly.document[]) returns duly.document[] language plpgsql stable as $$
declare
  v_key text;
  v_new duly.document[];
begin
  select d.key into v_key from unnest(p_documents) d
    left join duly.financial_transactions t on t.idempotency_key = d.key
    where d.key is null or t.request_hash <> d.hash limit 1;
  if found then
    perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', v_key));
  end if;
  select array_agg(d order by d.ord) into v_new from unnest(p_documents) d
    where not exists (select from duly.financial_transactions t where t.idempotency_key = d.key);
  select d.key into v_key from unnest(v_new) d group by d.key having count(*) > 1 limit 1;
  if found then
    perform duly.refuse('key_reused', 'key_once_per_batch', jsonb_build_object('key', v_key));
  end if;
  return coalesce(v_new, '{}');
end $$;

-- Name the first element that breaks a rule which needs only its account and type.
create function duly.check_documents(p_classification duly.classification, p_documents duly.document[]) returns void language plpgsql stable as $$
declare
  x record;
begin
  select d.key, d.account_id, d.currency, d.kind, d.rule into x from (
    select u.ord, u.key, u.account_id, u.currency,
        case when a.id is null or a.kind in ('suspense', 'write_off') then 'prerequisite'
          when a.state = 'terminated' then 'postcondition' else 'input' end as kind,
        case when a.id is null then 'account_exists'
          when a.kind in ('suspense', 'write_off') then 'account_takes_documents'
          when a.state = 'terminated' then 'account_not_terminated'
          when u.currency is distinct from a.currency then 'currency_of_account'
          when jsonb_typeof(u.lines) is distinct from 'array' or u.lines = '[]' then 'line_required'
          when jsonb_array_length(u.lines) > 1000 then 'lines_at_most'
          when u.type_id is not null and y.id is null then 'type_of_classification'
          when u.category is not null and u.category <> all (y.allowed_categories) then 'category_allowed'
          end as rule
      from unnest(p_documents) u
      left join duly.accounts a on a.id = u.account_id
      left join duly.transaction_types y on y.classification = p_classification and y.is_active
        and case when u.type_id is null then y.is_default else y.id = u.type_id end) d
    where d.rule is not null order by d.ord limit 1;
  if found then
    perform duly.refuse(x.kind, x.rule,
      jsonb_build_object('key', x.key, 'account_id', x.account_id, 'currency', x.currency));
  end if;
end $$;

-- Write the lines of new documents, or of one draft.
create function duly.insert_lines(p_ids text[], p_lines jsonb[]) returns void language sql as $$
  insert into duly.transaction_lines (transaction_id, position, product_id, description, quantity, unit_price_minor,
      discount_percent, discount_minor, net_minor, tax_rate_id, tax_percent, tax_minor, total_minor, period_from,
      period_to, sales_channel, applied_taxes)
    select u.id, l.position, l.product_id, coalesce(l.description, ''), l.quantity, l.unit_price_minor,
        l.discount_percent, coalesce(l.discount_minor, 0), l.net_minor, l.tax_rate_id,
        coalesce(r.percent, l.tax_rate, 0), coalesce(l.tax_minor, 0), l.total_minor, l.period_from, l.period_to,
        l.sales_channel, l.applied_taxes
      from unnest(p_ids, p_lines) u (id, lines)
      cross join lateral jsonb_populate_recordset(null::duly.document_line, u.lines) with ordinality
        l (product_id, description, quantity, unit_price_minor, discount_percent, discount_minor, net_minor,
        tax_rate_id, tax_rate, tax_minor, total_minor, period_from, period_to, sales_channel, applied_taxes, position)
      left join duly.tax_rates r on r.id = l.tax_rate_id
$$;

-- Write the headers and return the new ids in order. Posted headers continue each account's balance and version, which
-- the caller has locked.
create function duly.insert_headers(p_classification duly.classification, p_type_id text,
  p_documents duly.document[], p_draft boolean) returns text[] language plpgsql as $$
declare
  v_now timestamptz := clock_timestamp();
  v_sign integer := case duly.side_of(p_classification) when 'debit' then 1 else -1 end;
  v_ids text[];
begin
  with d as materialized (
    select u.*, 'ft_' || nextval('duly.financial_transaction_ids') as id, l.total_minor, z.today,
        case when not p_draft then coalesce(u.posted_on, z.today) end as day,
        case when not p_draft then b.version + row_number() over w end as account_version,
        case when not p_draft then b.balance_minor + v_sign * sum(l.total_minor) over w end as balance_after_minor,
        case when not p_draft then greatest(v_now, b.posted_at) end as posted_at
      from unnest(p_documents) u
      cross join lateral (select sum((x ->> 'total_minor')::bigint) as total_minor
        from jsonb_array_elements(u.lines) x) l
      join duly.accounts a on a.id = u.account_id
      join duly.account_balances b on b.account_id = u.account_id
      cross join lateral (values ((v_now at time zone a.time_zone)::date)) z (today)
      window w as (partition by u.account_id order by u.ord)),
  h as (
    insert into duly.financial_transactions (id, idempotency_key, request_hash, classification, type_id, category,
        account_id, currency, total_minor, state, issued_on, due_on, issue_reason, back_office_code,
        addressed_invoice_ids, origin, actor, posted_on, posted_at, posted_xid, account_version, balance_after_minor)
      select d.id, d.key, d.hash, p_classification, coalesce(d.type_id, p_type_id), d.category, d.account_id,
          d.currency, d.total_minor, case when p_draft then 'draft'::duly.transaction_state else 'posted' end,
          coalesce(d.issued_on, d.today),
          case when p_classification = 'invoice' and not p_draft then coalesce(d.due_on, w.default_on) else d.due_on end,
          d.issue_reason, d.back_office_code, d.invoices, d.origin::duly.origin, d.actor, d.day, d.posted_at,
          case when not p_draft then pg_current_xact_id() end, d.account_version, d.balance_after_minor
        from d left join lateral duly.due_dates(d.account_id, d.day) w on true)
  select array_agg(d.id order by d.ord) into v_ids from d;
  return v_ids;
end $$;

-- Per line (Q14): net is quantity times price less discount, tax is its percentage of net, halves rounded up. Tax that a
-- service computed is taken as it answered.
create function duly.check_lines(p_ids text[]) returns void language plpgsql stable as $$
declare
  x record;
begin
  select t.idempotency_key as key, l.position, l.product_id, l.tax_rate_id,
      case when p.id is null then 'product_exists' when r.id is null and l.tax_rate_id is not null then 'tax_rate_exists'
        else 'line_adds_up' end as rule
    into x
    from duly.transaction_lines l
    join duly.financial_transactions t on t.id = l.transaction_id
    left join duly.products p on p.id = l.product_id and p.is_active
    left join duly.tax_rates r on r.id = l.tax_rate_id
    where l.transaction_id = any (p_ids) and (p.id is null or (r.id is null and l.tax_rate_id is not null)
      or l.net_minor <> round(l.quantity * l.unit_price_minor) - l.discount_minor
      or l.discount_minor <> round(round(l.quantity * l.unit_price_minor) * l.discount_percent / 100)
      or (l.applied_taxes is null and l.tax_minor <> round(l.net_minor * l.tax_percent / 100)))
    limit 1;
  if found then
    perform duly.refuse('input', x.rule, jsonb_build_object('key', x.key, 'line', x.position,
      'product_id', x.product_id, 'tax_rate_id', x.tax_rate_id));
  end if;
end $$;

create function duly.check_due_dates(p_ids text[]) returns void language plpgsql stable as $$
declare
  x record;
begin
  select t.idempotency_key as key, t.account_id, t.due_on, w.earliest, w.latest into x
    from duly.financial_transactions t
    left join lateral duly.due_dates(t.account_id, t.posted_on) w on true
    where t.id = any (p_ids) and t.due_on not between w.earliest and w.latest limit 1;
  if found then
    perform duly.refuse('postcondition', 'due_date_in_credit_period', jsonb_build_object('key', x.key,
      'account_id', x.account_id, 'due_on', x.due_on, 'earliest', x.earliest, 'latest', x.latest));
  end if;
end $$;

-- What follows posted headers: transfers, open items and balances.
create function duly.book_documents(p_ids text[]) returns void language plpgsql as $$
begin
  perform duly.write_line_transfers(p_ids);
  perform duly.open_items_of(p_ids);
  update duly.account_balances b
    set balance_minor = x.balance_after_minor, version = x.account_version, posted_at = x.posted_at
    from (select distinct on (account_id) account_id, balance_after_minor, account_version, posted_at
            from duly.financial_transactions where id = any (p_ids) order by account_id, account_version desc) x
    where b.account_id = x.account_id;
end $$;

-- Credit that was waiting settles what is new on its account; a credit note goes where it is addressed first.
create function duly.settle_documents(p_classification duly.classification, p_ids text[]) returns void
language plpgsql as $$
declare
  v_account_id text;
begin
  if p_classification = 'credit_note' then
    perform duly.settle(t) from duly.financial_transactions t where t.id = any (p_ids) order by t.account_version;
    return;
  end if;
  for v_account_id in
    select distinct c.account_id from duly.financial_transactions t
      join duly.open_items c on c.account_id = t.account_id and c.side = 'credit' and c.allocated_minor < c.amount_minor
      where t.id = any (p_ids) order by 1
  loop
    perform duly.allocate_fifo(v_account_id);
  end loop;
end $$;

-- Write documents, as drafts or posted. Elements whose key was used before are left as they are.
create function duly.write_documents(p_classification duly.classification, p_batch jsonb, p_draft boolean) returns void
language plpgsql as $$
declare
  v_documents duly.document[] := duly.read_documents(p_batch);
  v_ids text[];
begin
  if v_documents is null then
    perform duly.refuse('input', 'batch_not_empty', '{}');
  end if;
  if not p_draft then
    perform duly.lock_accounts(array(select distinct d.account_id from unnest(v_documents) d));
  end if;
  v_documents := duly.new_documents(v_documents);
  if v_documents = '{}' then return; end if;
  perform duly.check_documents(p_classification, v_documents);
  v_ids := duly.insert_headers(p_classification, duly.type_for(p_classification, null), v_documents, p_draft);
  perform duly.insert_lines(v_ids, array(select d.lines from unnest(v_documents) d order by d.ord));
  perform duly.check_lines(v_ids);
  if p_classification = 'credit_note' then
    perform duly.check_addressed(t) from duly.financial_transactions t where t.id = any (v_ids);
  end if;
  if p_draft then return; end if;
  if p_classification = 'invoice' then perform duly.check_due_dates(v_ids); end if;
  perform duly.book_documents(v_ids);
  perform duly.settle_documents(p_classification, v_ids);
  perform duly.give_numbers(p_classification, v_ids);
end $$;

-- Post invoices in one commit, each idempotent by its key: the billing run's way, 100 to 1,000 at a time. One bad element
-- refuses the batch and is named.
create function duly.post_invoices(p_batch jsonb) returns table (key text, transaction_id text, number text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform duly.write_documents('invoice', p_batch, false);
  return query
    select t.idempotency_key, t.id, n.number
      from jsonb_array_elements(p_batch) with ordinality r (raw, ord)
      join duly.financial_transactions t on t.idempotency_key = r.raw ->> 'key'
      left join duly.transaction_numbers n on n.transaction_id = t.id
      order by r.ord;
end $$;
