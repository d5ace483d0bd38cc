-- Invoices and credit notes: documents with lines, written one or a thousand at a time by the same statements.

-- What a key stands for: what a person asked for, where the caller says it (prices and taxes may change between two askings), else
-- the element as it is; never who asks.
create or replace function duly.document_hash(p_raw jsonb) returns bytea language sql immutable parallel safe as $$
  select sha256(convert_to(coalesce('asked:' || (p_raw ->> 'asked'), (p_raw - 'actor')::text), 'UTF8'))
$$;

-- What releases before 0.2.0 kept of it, where who asked was a part.
create or replace function duly.older_document_hash(p_raw jsonb, p_actor text) returns bytea language sql immutable parallel safe as $$
  select sha256(convert_to((p_raw - 'asked' || jsonb_build_object('actor', p_actor))::text, 'UTF8'))
$$;

-- Read the elements once; amounts stay JSON until they are stored.
create or replace function duly.documents_of(p_batch jsonb) returns duly.ledger_document[] language sql stable as $$
  select array_agg(row(r.ord, duly.document_hash(r.raw), e.key, e.account_id, e.currency, e.type_id,
      e.category, e.issued_on, e.posted_on, e.due_on, e.issue_reason, e.back_office_code, coalesce(e.invoices, '{}'),
      coalesce(e.origin, 'system'), coalesce(e.actor, 'system'), e.lines, null, null, null, null, null, null, null,
      null, null, e.issued_at)::duly.ledger_document order by r.ord)
    from jsonb_array_elements(p_batch) with ordinality r (raw, ord)
    cross join lateral jsonb_to_record(r.raw) as e (key text, account_id text, currency text, type_id text,
      category text, issued_on date, posted_on date, due_on date, issue_reason text, back_office_code text,
      invoices text[], origin text, actor text, lines jsonb, issued_at timestamptz)
$$;

-- The elements that are new. A key that was used before must come with the same element.
create or replace function duly.new_documents(p_documents duly.ledger_document[], p_batch jsonb) returns duly.ledger_document[] language plpgsql stable as $$
declare
  v_broken text[];
  v_key text;
  v_new duly.ledger_document[];
begin
  select array_agg(d order by d.ord) filter (where t.id is null),
      array_agg(d.key) filter (where d.key is null or (t.request_hash <> d.hash
        and t.request_hash <> duly.older_document_hash(p_batch -> (d.ord - 1)::integer, t.actor)))
    into v_new, v_broken
    from unnest(p_documents) d left join duly.financial_transactions t on t.idempotency_key = d.key;
  if v_broken is not null then
    perform duly.refuse('key_reused', 'key_means_one_request', jsonb_build_object('key', v_broken[1]));
  end if;
  select d.key into v_key from unnest(v_new) d group by d.key having count(*) > 1 limit 1;
  if found then
    perform duly.refuse('key_reused', 'key_once_per_batch', jsonb_build_object('key', v_key));
  end if;
  return coalesce(v_new, '{}');
end $$;

-- Look up what its account, type and date say of each document, in one pass: in a batch, each visit of a table costs as
-- much as an insert. Posted documents continue each account's balance and version, which the caller has locked.
create or replace function duly.look_up(p_classification duly.classification, p_default_type_id text, p_documents duly.ledger_document[],
  p_draft boolean, p_now timestamptz) returns duly.ledger_document[] language sql volatile as $$
  select array_agg(row(x.ord, x.hash, x.key, x.account_id, x.currency, coalesce(x.type_id, p_default_type_id),
      x.category, coalesce((x.issued_at at time zone x.time_zone)::date, x.issued_on, x.today), x.day, x.due_on, x.issue_reason, x.back_office_code, x.invoices,
      x.origin, x.actor, x.lines, 'ft_' || nextval('duly.financial_transaction_ids'), x.total_minor, x.posted_at,
      x.account_version, x.balance_after_minor, x.meets_credit, k.kind, k.rule, case when k.rule is not null then
        jsonb_build_object('key', x.key, 'account_id', x.account_id, 'currency', x.currency, 'due_on', x.due_on,
          'earliest', x.earliest, 'latest', x.latest, 'category', x.category, 'classification', p_classification,
          'type_id', coalesce(x.type_id, p_default_type_id)) end,
      coalesce(x.issued_at, case when x.issued_on is null then p_now end))::duly.ledger_document order by x.ord)
    from (
      select u.ord, u.hash, u.key, u.account_id, u.currency, u.type_id, u.category, u.issued_on, u.issue_reason,
          u.back_office_code, u.invoices, u.origin, u.actor, u.lines, u.issued_at, a.time_zone, a.id as known_id, a.kind, a.state,
          a.currency as account_currency, y.id as known_type, y.allowed_categories, w.earliest, w.latest, z.today,
          case when p_draft then null when u.posted_on is null then z.today
            else duly.open_day(u.posted_on, z.today) end as day,
          case when p_classification = 'invoice' and not p_draft then coalesce(u.due_on, w.default_on)
            else u.due_on end as due_on,
          l.total_minor, b.balance_minor < 0 as meets_credit,
          case when not p_draft then greatest(p_now, b.posted_at) end as posted_at,
          case when not p_draft then b.version + row_number() over v end as account_version,
          case when not p_draft then b.balance_minor + case duly.side_of(p_classification) when 'debit' then 1 else -1
            end * sum(l.total_minor) over v end as balance_after_minor
        from duly.definitions d
        cross join unnest(p_documents) u
        left join duly.accounts a on a.id = u.account_id
        left join duly.account_balances b on b.account_id = u.account_id
        left join duly.transaction_types y on y.classification = p_classification and y.is_active
          and y.id = coalesce(u.type_id, p_default_type_id)
        cross join lateral (values ((p_now at time zone a.time_zone)::date)) z (today)
        cross join lateral (select sum((e ->> 'total_minor')::bigint)::bigint as total_minor
          from jsonb_array_elements(case jsonb_typeof(u.lines) when 'array' then u.lines else '[]' end) e) l
        left join duly.due_date_rules q on q.id = coalesce(a.due_date_rule_id, d.due_date_rule_id)
        left join lateral duly.due_window(q, a.credit_period_days, coalesce(u.posted_on, z.today)) w
          on p_classification = 'invoice'
        window v as (partition by u.account_id order by u.ord)) x
    cross join lateral (select
        case when x.known_id is null then 'account_exists'
          when x.kind in ('suspense', 'write_off') then 'account_takes_documents'
          when x.state = 'terminated' then 'account_not_terminated'
          when x.currency is distinct from x.account_currency then 'currency_of_account'
          when jsonb_typeof(x.lines) is distinct from 'array' or x.lines = '[]' then 'line_required'
          when jsonb_array_length(x.lines) > 1000 then 'lines_at_most'
          when x.known_type is null then 'type_of_classification'
          when x.category is not null and x.category <> all (x.allowed_categories) then 'category_allowed'
          when x.due_on not between x.earliest and x.latest then 'due_date_in_credit_period' end) r (rule)
    cross join lateral (values (case when r.rule in ('account_exists', 'account_takes_documents') then 'prerequisite'
      when r.rule in ('account_not_terminated', 'due_date_in_credit_period') then 'postcondition' else 'input' end,
      r.rule)) k (kind, rule)
$$;

-- Name the first element that breaks a rule.
create or replace function duly.check_documents(p_documents duly.ledger_document[]) returns void language plpgsql stable as $$
declare
  x record;
begin
  select d.refusal_kind, d.rule, d.arguments into x from unnest(p_documents) d where d.rule is not null
    order by d.ord limit 1;
  if found then
    perform duly.refuse(x.refusal_kind, x.rule, x.arguments);
  end if;
end $$;

create or replace function duly.insert_headers(p_classification duly.classification, p_documents duly.ledger_document[], p_draft boolean)
returns void language sql as $$
  insert into duly.financial_transactions (id, idempotency_key, request_hash, classification, type_id, category,
      account_id, currency, total_minor, state, issued_on, due_on, issue_reason, back_office_code,
      addressed_invoice_ids, origin, actor, posted_on, posted_at, posted_xid, account_version, balance_after_minor, issued_at)
    select d.id, d.key, d.hash, p_classification, d.type_id, d.category, d.account_id, d.currency, d.total_minor,
        case when p_draft then 'draft'::duly.transaction_state else 'posted' end, d.issued_on, d.due_on,
        d.issue_reason, d.back_office_code, d.invoices, d.origin::duly.origin, d.actor, d.posted_on, d.posted_at,
        case when not p_draft then pg_current_xact_id() end, d.account_version, d.balance_after_minor, d.issued_at
      from unnest(p_documents) d
$$;

-- What follows posted headers and their lines: transfers, open items and balances.
create or replace function duly.book_documents(p_classification duly.classification, p_documents duly.ledger_document[],
  p_lines duly.ledger_line[]) returns void language plpgsql as $$
begin
  perform duly.write_line_transfers(p_lines);
  perform duly.freeze_tax_currency(array(select d.id from unnest(p_documents) d));
  insert into duly.open_items (transaction_id, account_id, side, sort_on, account_version, amount_minor)
    select d.id, d.account_id, duly.side_of(p_classification), coalesce(d.due_on, d.posted_on), d.account_version,
        d.total_minor from unnest(p_documents) d;
  update duly.account_balances b
    set balance_minor = x.balance_after_minor, version = x.account_version, posted_at = x.posted_at
    from (select distinct on (d.account_id) d.account_id, d.balance_after_minor, d.account_version, d.posted_at
            from unnest(p_documents) d order by d.account_id, d.account_version desc) x
    where b.account_id = x.account_id;
end $$;

-- Credit that was waiting settles what is new on its account; a credit note goes where it is addressed first. Only an
-- account that was in credit has some: no account has open items on both sides.
create or replace function duly.settle_documents(p_classification duly.classification, p_documents duly.ledger_document[]) returns void
language plpgsql as $$
declare
  v_in_credit text[];
begin
  if p_classification = 'credit_note' then
    perform duly.settle(t) from duly.financial_transactions t
      where t.id in (select d.id from unnest(p_documents) d) order by t.account_version;
    return;
  end if;
  v_in_credit := array(select distinct d.account_id from unnest(p_documents) d where d.meets_credit);
  if v_in_credit <> '{}' then perform duly.allocate_open(v_in_credit); end if;
end $$;

-- Write documents, as drafts or posted. Elements whose key was used before are left as they are.
create or replace function duly.write_documents(p_classification duly.classification, p_batch jsonb, p_draft boolean) returns void
language plpgsql as $$
declare
  v_documents duly.ledger_document[] := duly.documents_of(p_batch);
  v_lines duly.ledger_line[];
  v_ids text[];
begin
  if v_documents is null then
    perform duly.refuse('input', 'batch_not_empty', '{}');
  end if;
  if not p_draft then
    perform duly.lock_accounts(array(select distinct d.account_id from unnest(v_documents) d));
  end if;
  v_documents := duly.new_documents(v_documents, p_batch);
  if v_documents = '{}' then return; end if;
  v_documents := duly.look_up(p_classification, duly.type_for(p_classification, null), v_documents, p_draft,
    clock_timestamp());
  perform duly.check_documents(v_documents);
  v_ids := array(select d.id from unnest(v_documents) d order by d.ord);
  v_lines := duly.read_lines(v_ids, array(select d.lines from unnest(v_documents) d order by d.ord),
    p_classification = 'credit_note');
  perform duly.check_lines(v_lines, array(select d.key from unnest(v_documents) d order by d.ord), v_ids);
  perform duly.insert_headers(p_classification, v_documents, p_draft);
  perform duly.insert_lines(v_lines);
  if p_classification = 'credit_note' then
    perform duly.check_addressed(t) from duly.financial_transactions t where t.id = any (v_ids);
  end if;
  if p_draft then return; end if;
  perform duly.book_documents(p_classification, v_documents, v_lines);
  perform duly.settle_documents(p_classification, v_documents);
  perform duly.give_numbers(p_classification, v_ids);
end $$;

-- Post invoices in one commit, each idempotent by its key: the billing run's way, 100 to 1,000 at a time. One bad element
-- refuses the batch and is named.
create or replace function duly.post_invoices(p_batch jsonb) returns table (key text, transaction_id text, number text)
language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  perform duly.write_documents('invoice', p_batch, false);
  return query
    select t.idempotency_key, t.id, n.number
      from jsonb_array_elements(p_batch) with ordinality r (raw, ord)
      join duly.financial_transactions t on t.idempotency_key = r.raw ->> 'key'
      left join duly.transaction_numbers n on n.transaction_id = t.id
      order by r.ord;
end $$;

-- Single invoices and credit notes, by people and by processes: a batch of one.

create or replace function duly.create_document(p_classification duly.classification, p_document jsonb, p_draft boolean)
returns duly.receipt language plpgsql as $$
begin
  perform duly.write_documents(p_classification, jsonb_build_array(jsonb_strip_nulls(p_document)), p_draft);
  return (select duly.receipt_of(id) from duly.financial_transactions where idempotency_key = p_document ->> 'key');
end $$;

create or replace function duly.create_invoice(
  p_key text, p_account_id text, p_currency text, p_lines jsonb, p_draft boolean default false,
  p_due_on date default null, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_back_office_code text default null,
  p_origin text default 'user', p_actor text default 'system', p_issued_at timestamptz default null,
  p_asked text default null
) returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  return duly.create_document('invoice', jsonb_build_object('key', p_key, 'account_id', p_account_id,
    'currency', p_currency, 'lines', p_lines, 'due_on', p_due_on, 'issued_on', p_issued_on, 'posted_on', p_posted_on,
    'type_id', p_type_id, 'category', p_category, 'back_office_code', p_back_office_code, 'origin', p_origin,
    'actor', p_actor, 'issued_at', p_issued_at,
    'asked', p_asked), p_draft);
end $$;

create or replace function duly.create_credit_note(
  p_key text, p_account_id text, p_currency text, p_lines jsonb, p_addressed_invoice_ids text[] default '{}',
  p_draft boolean default false, p_issued_on date default null, p_posted_on date default null,
  p_type_id text default null, p_category text default null, p_issue_reason text default null,
  p_back_office_code text default null, p_origin text default 'user', p_actor text default 'system',
  p_issued_at timestamptz default null,
  p_asked text default null
) returns duly.receipt language plpgsql security definer
    set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  return duly.create_document('credit_note', jsonb_build_object('key', p_key, 'account_id', p_account_id,
    'currency', p_currency, 'lines', p_lines, 'invoices', to_jsonb(p_addressed_invoice_ids), 'issued_on', p_issued_on,
    'posted_on', p_posted_on, 'type_id', p_type_id, 'category', p_category, 'issue_reason', p_issue_reason,
    'back_office_code', p_back_office_code, 'origin', p_origin, 'actor', p_actor, 'issued_at', p_issued_at,
    'asked', p_asked), p_draft);
end $$;
