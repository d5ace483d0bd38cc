-- Where a document is posted: its lines are read from JSON, checked, stored, and become transfers. VAT is checked here, line by
-- line; it is computed in models/money.py (vat_of).

-- Per line (Q14): net is quantity times price less discount, tax is its percentage of net, halves rounded up. Tax that a
-- service computed is taken as it answered.
create or replace function duly.rule_broken_by(l duly.transaction_lines, p_has_product boolean, p_has_tax_rate boolean) returns text
language sql immutable parallel safe as $$
  select case when not p_has_product then 'product_exists'
    when not p_has_tax_rate and l.tax_rate_id is not null then 'tax_rate_exists'
    when l.net_minor <> round(l.quantity * l.unit_price_minor) - l.discount_minor
      or l.discount_minor <> round(round(l.quantity * l.unit_price_minor) * l.discount_percent / 100)
      or (l.applied_taxes is null and l.tax_minor <> round(l.net_minor * l.tax_percent / 100)) then 'line_adds_up' end
$$;

-- Read the lines of documents, with what their products and tax rates say. A product that is out of use is not invoiced any
-- more; what was invoiced of it can be credited. One that fills wallets is in their documents alone, which are written without these.
create or replace function duly.read_lines(p_ids text[], p_lines jsonb[], p_is_credit boolean default false) returns duly.ledger_line[] language sql stable as $$
  select coalesce(array_agg(row(x.stored, p.ledger_account, coalesce(
      duly.rule_broken_by(x.stored, p.id is not null, x.has_rate),
      case when p.ledger_account in ('wallet_clearing', 'wallet_top_ups') then 'wallet_product' end))::duly.ledger_line), '{}')
    from (select row(u.id, l.position, l.product_id, coalesce(l.description, ''), l.quantity, l.unit_price_minor,
            l.discount_percent, coalesce(l.discount_minor, 0), l.net_minor, l.tax_rate_id,
            coalesce(r.percent, l.tax_rate, 0), coalesce(l.tax_minor, 0), l.total_minor, l.period_from, l.period_to,
            l.sales_channel, l.applied_taxes)::duly.transaction_lines as stored, l.product_id, r.id is not null as has_rate
        from unnest(p_ids, p_lines) u (id, lines)
        cross join lateral jsonb_populate_recordset(null::duly.document_line, u.lines) with ordinality
          l (product_id, description, quantity, unit_price_minor, discount_percent, discount_minor, net_minor,
          tax_rate_id, tax_rate, tax_minor, total_minor, period_from, period_to, sales_channel, applied_taxes, position)
        left join duly.tax_rates r on r.id = l.tax_rate_id
        offset 0) x
    left join duly.products p on p.id = x.product_id and (p.is_active or p_is_credit)
$$;

-- The stored lines of a draft that is posted now, or of a write-off.
create or replace function duly.stored_lines(p_transaction_id text) returns duly.ledger_line[] language sql stable as $$
  select coalesce(array_agg(row(l, p.ledger_account, null)::duly.ledger_line), '{}')
    from duly.transaction_lines l join duly.products p on p.id = l.product_id
    where l.transaction_id = p_transaction_id
$$;

-- Name the first line that breaks a rule.
create or replace function duly.check_lines(p_lines duly.ledger_line[], p_keys text[], p_ids text[]) returns void
language plpgsql stable as $$
declare
  x record;
begin
  select u.stored, u.rule into x from unnest(p_lines) u (stored, ledger_account, rule) where u.rule is not null limit 1;
  if found then
    perform duly.refuse('input', x.rule, jsonb_build_object(
      'key', p_keys[array_position(p_ids, (x.stored).transaction_id)], 'line', (x.stored).position,
      'product_id', (x.stored).product_id, 'tax_rate_id', (x.stored).tax_rate_id));
  end if;
end $$;

create or replace function duly.insert_lines(p_lines duly.ledger_line[]) returns void language sql as $$
  insert into duly.transaction_lines select (u.stored).* from unnest(p_lines) u (stored, ledger_account, rule)
$$;

-- The transfers of documents with lines: one for each ledger account that the lines name, and one for their tax.
create or replace function duly.write_line_transfers(p_lines duly.ledger_line[]) returns void language sql as $$
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select t.id, row_number() over (partition by t.id order by x.other = 'vat_payable', x.other),
        case duly.side_of(t.classification) when 'debit' then duly.ledger_account_of(a.kind, a.id) else x.other end,
        case duly.side_of(t.classification) when 'debit' then x.other else duly.ledger_account_of(a.kind, a.id) end,
        t.currency, x.amount_minor, t.posted_on
      from (select l.transaction_id, y.other, sum(y.amount_minor)::bigint as amount_minor
              from (select (u.stored).transaction_id, (u.stored).net_minor, (u.stored).tax_minor, u.ledger_account
                  from unnest(p_lines) u (stored, ledger_account, rule)) l
              cross join lateral (values (l.ledger_account, l.net_minor), ('vat_payable', l.tax_minor))
                y (other, amount_minor)
              where y.amount_minor > 0
              group by l.transaction_id, y.other) x
      join duly.financial_transactions t on t.id = x.transaction_id
      join duly.accounts a on a.id = t.account_id
$$;

-- Posting: what turns a header into money moved. Everything here runs inside the functions of the other files, which hold
-- the account's lock.

create or replace function duly.number_prefix(p_classification duly.classification) returns text language sql immutable parallel safe as $$
  select case p_classification
    when 'invoice' then 'INV' when 'credit_note' then 'CRN' when 'payment' then 'PAY' when 'refund' then 'REF'
    when 'write_off' then 'WRO' when 'invoice_cancellation' then 'ICN' when 'payment_cancellation' then 'PCN' end
$$;

-- The series of a type's postings on a day. Its stem stands before the dash of every number: the prefix, and the year if it
-- begins anew each year.
create or replace function duly.series_of(p_type_id text, p_posted_on date, out stem text, out is_gap_free boolean, out is_open boolean)
language sql stable as $$
  select x.stem, s.is_gap_free, c.is_open
    from duly.transaction_types y
    join duly.number_series s on s.prefix = coalesce(y.number_prefix, duly.number_prefix(y.classification))
      and s.is_per_year = y.is_numbered_per_year
    cross join lateral (values (s.prefix || case when s.is_per_year then to_char(p_posted_on, 'YYYY') else '' end)) x (stem)
    left join duly.number_counters c on c.stem = x.stem
    where y.id = p_type_id
$$;

-- The highest number of a series, or the highest that a restore has left out.
create or replace function duly.last_number(p_stem text) returns bigint language sql stable as $$
  select greatest(0, (select substr(max(number), length(p_stem) + 2)::bigint from duly.transaction_numbers
      where number >= p_stem || '-' and number < p_stem || '-:'),
    (select max(last) from duly.number_gaps where stem = p_stem))
$$;

-- Take a series' lock, which is held to the commit, and return its highest number. An advisory lock queues better than a
-- counter row does, and the highest number needs no counter. Releases without series lock their prefixes by the same keys.
create or replace function duly.lock_series(p_stem text) returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('duly.transaction_numbers'), hashtext(p_stem || '-'));
  return duly.last_number(p_stem);
end $$;

create or replace function duly.sequence_of(p_stem text) returns text language sql immutable parallel safe as $$
  select 'duly.numbers_' || lower(p_stem)
$$;

-- Whether the numbers of a series with gaps come from its sequence; if not, this transaction holds the series' lock. It is
-- opened by the first posting that finds over whatever ran when somebody first asked: what began before this release was
-- there may still take the highest number plus one.
create or replace function duly.open_series(p_stem text) returns boolean language plpgsql as $$
declare
  v_last bigint := duly.lock_series(p_stem);
  c duly.number_counters;
begin
  select * into c from duly.number_counters where stem = p_stem;
  if c.is_open then return true; end if;
  if c.stem is null then
    insert into duly.number_counters (stem, waits_for) values (p_stem, pg_snapshot_xmax(pg_current_snapshot()));
  elsif c.waits_for > pg_snapshot_xmax(pg_current_snapshot()) then
    -- Another cluster's transaction, from before a dump: what ran there does not run here. It is waited for what runs here.
    update duly.number_counters set waits_for = pg_snapshot_xmax(pg_current_snapshot()) where stem = p_stem returning * into c;
  end if;
  if c.stem is null or c.waits_for > pg_snapshot_xmin(pg_current_snapshot()) then return false; end if;
  if to_regclass(duly.sequence_of(p_stem)) is null then execute 'create sequence ' || duly.sequence_of(p_stem); end if;
  perform setval(duly.sequence_of(p_stem), greatest(v_last, 1), v_last > 0);
  update duly.number_counters set is_open = true where stem = p_stem;
  return true;
end $$;

-- Give the next numbers of a series, in the order of the ids, and return the last one. Without gaps they are the highest
-- plus one, under a lock from here to the commit, so that a number is never skipped and nobody waits for more than a commit.
create or replace function duly.number_in_series(p_stem text, p_is_gap_free boolean, p_is_open boolean, p_ids text[]) returns text
language plpgsql as $$
declare
  v_last bigint;
  v_id text;
  v_number text;
begin
  if current_setting('duly.is_tried_out', true) = 'on' then
    -- What is tried out and taken back takes no number and no lock of a series: nobody waits for it. guard_kept_number lets none be kept.
    insert into duly.transaction_numbers (number, transaction_id) select 'TRIED-' || u.id, u.id from unnest(p_ids) u (id);
    return 'TRIED-' || p_ids[cardinality(p_ids)];
  end if;
  if p_is_gap_free or not (coalesce(p_is_open, false) or duly.open_series(p_stem)) then
    v_last := duly.lock_series(p_stem);
    insert into duly.transaction_numbers (number, transaction_id)
      select p_stem || '-' || lpad((v_last + u.ordinality)::text, 10, '0'), u.id
        from unnest(p_ids) with ordinality u (id, ordinality);
    return p_stem || '-' || lpad((v_last + cardinality(p_ids))::text, 10, '0');
  end if;
  foreach v_id in array p_ids loop
    v_number := duly.number_by_sequence(p_stem, v_id);
  end loop;
  return v_number;
end $$;

-- The next number of a series with gaps. A sequence that stands behind the numbers given, as after a copy of the tables
-- alone, is put forward.
create or replace function duly.number_by_sequence(p_stem text, p_id text) returns text language plpgsql as $$
declare
  v_number text;
begin
  loop
    insert into duly.transaction_numbers (number, transaction_id)
      values (p_stem || '-' || lpad(nextval(duly.sequence_of(p_stem)::regclass)::text, 10, '0'), p_id)
      on conflict (number) do nothing returning number into v_number;
    if found then return v_number; end if;
    perform setval(duly.sequence_of(p_stem), greatest(duly.lock_series(p_stem), nextval(duly.sequence_of(p_stem))));
  end loop;
end $$;

-- Number a posting: always its last step.
create or replace function duly.give_number(t duly.financial_transactions) returns text language plpgsql as $$
declare
  s record := duly.series_of(t.type_id, t.posted_on);
begin
  return duly.number_in_series(s.stem, s.is_gap_free, s.is_open, array[t.id]);
end $$;

-- Number postings of one classification, of one type or of many; series in the order of their stems, so that nobody waits in
-- a circle.
create or replace function duly.give_numbers(p_classification duly.classification, p_ids text[]) returns text language plpgsql as $$
declare
  s record;
  v_number text;
begin
  for s in
    select x.stem, x.is_gap_free, x.is_open, array_agg(k.id order by k.place) as ids
      from (select t.type_id, t.posted_on, array_agg(u.id) as ids, array_agg(u.place) as places
              from unnest(p_ids) with ordinality u (id, place)
              join duly.financial_transactions t on t.id = u.id and t.classification = p_classification
              group by t.type_id, t.posted_on) g
      cross join lateral duly.series_of(g.type_id, g.posted_on) x
      cross join lateral unnest(g.ids, g.places) k (id, place)
      group by x.stem, x.is_gap_free, x.is_open order by x.stem
  loop
    v_number := duly.number_in_series(s.stem, s.is_gap_free, s.is_open, s.ids);
  end loop;
  return v_number;
end $$;

-- Move the balance and write into the header what only posting knows. Time never runs backwards on an account, whatever
-- the server's clock does.
create or replace function duly.assign_posting(inout t duly.financial_transactions, p_time_zone text) language plpgsql as $$
begin
  update duly.account_balances b set
      balance_minor = b.balance_minor
        + case duly.side_of(t.classification) when 'debit' then t.total_minor else -t.total_minor end,
      version = b.version + 1,
      posted_at = greatest(clock_timestamp(), b.posted_at)
    where b.account_id = t.account_id
    returning b.balance_minor, b.version, b.posted_at into t.balance_after_minor, t.account_version, t.posted_at;
  t.state := 'posted';
  t.posted_xid := pg_current_xact_id();
  t.posted_on := duly.open_day(t.posted_on, (t.posted_at at time zone p_time_zone)::date);
end $$;

-- One transfer of the whole amount between the account and where the money is: at the gateway, or where its method keeps it.
-- The mirror of a write-off has no method; it stands against the allowance for bad debts.
create or replace function duly.write_transfer(t duly.financial_transactions, a duly.accounts) returns void language plpgsql as $$
begin
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select t.id, 1, case s.side when 'debit' then s.own else s.other end,
        case s.side when 'debit' then s.other else s.own end, t.currency, t.total_minor, t.posted_on
      from (select duly.side_of(t.classification), duly.ledger_account_of(a.kind, a.id),
        case when t.method is null then 'bad_debt_allowance' else coalesce('gateway_clearing:' || t.provider,
          (select m.ledger_account from duly.payment_methods m where m.id = t.method)) end) s (side, own, other);
end $$;

-- A cancellation turns the original's transfers round, each with its own amount.
create or replace function duly.write_reversing_transfers(t duly.financial_transactions) returns void language sql as $$
  insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
    select t.id, o.position, o.credit_account, o.debit_account, o.currency, o.amount_minor, t.posted_on
      from duly.transfers o where o.source_id = t.counterpart_id
$$;

create or replace function duly.write_transfers(t duly.financial_transactions, a duly.accounts) returns void
language plpgsql as $$
begin
  if t.classification in ('invoice_cancellation', 'payment_cancellation') then
    perform duly.write_reversing_transfers(t);
  elsif t.method is not null or (t.classification = 'invoice' and t.counterpart_id is not null) then
    perform duly.write_transfer(t, a);
  else
    perform duly.write_line_transfers(duly.stored_lines(t.id));
  end if;
end $$;

-- What follows a posted header: transfers and its open item. Allocation and the number are the caller's next steps.
create or replace function duly.write_transfers_and_open_item(t duly.financial_transactions, a duly.accounts) returns void language plpgsql as $$
begin
  perform duly.write_transfers(t, a);
  if t.classification in ('invoice', 'credit_note', 'invoice_cancellation', 'write_off') then
    perform duly.freeze_tax_currency(array[t.id]);
  end if;
  insert into duly.open_items (transaction_id, account_id, side, sort_on, account_version, amount_minor)
    values (t.id, t.account_id, duly.side_of(t.classification), coalesce(t.due_on, t.posted_on), t.account_version,
      t.total_minor);
end $$;
