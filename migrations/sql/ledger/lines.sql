-- The lines of documents: read from JSON, checked, stored, and turned into transfers.

create type duly.document_line as (
  product_id text, description text, quantity numeric, unit_price_minor bigint, discount_percent numeric,
  discount_minor bigint, net_minor bigint, tax_rate_id text, tax_rate numeric, tax_minor bigint, total_minor bigint,
  period_from date, period_to date, sales_channel text, applied_taxes jsonb
);

-- A line as it is stored, with the rule that it breaks, if any, and the ledger account of its product.
create type duly.ledger_line as (stored duly.transaction_lines, ledger_account text, rule text);

-- Per line (Q14): net is quantity times price less discount, tax is its percentage of net, halves rounded up. Tax that a
-- service computed is taken as it answered.
create function duly.rule_broken_by(l duly.transaction_lines, p_has_product boolean, p_has_tax_rate boolean) returns text
language sql immutable parallel safe as $$
  select case when not p_has_product then 'product_exists'
    when not p_has_tax_rate and l.tax_rate_id is not null then 'tax_rate_exists'
    when l.net_minor <> round(l.quantity * l.unit_price_minor) - l.discount_minor
      or l.discount_minor <> round(round(l.quantity * l.unit_price_minor) * l.discount_percent / 100)
      or (l.applied_taxes is null and l.tax_minor <> round(l.net_minor * l.tax_percent / 100)) then 'line_adds_up' end
$$;

-- Read the lines of documents, with what their products and tax rates say.
create function duly.read_lines(p_ids text[], p_lines jsonb[]) returns duly.ledger_line[] language sql stable as $$
  select coalesce(array_agg(row(x.stored, p.ledger_account, duly.rule_broken_by(x.stored, p.id is not null, x.has_rate))
      ::duly.ledger_line), '{}')
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
    left join duly.products p on p.id = x.product_id and p.is_active
$$;

-- The stored lines of a draft that is posted now, or of a write-off.
create function duly.stored_lines(p_transaction_id text) returns duly.ledger_line[] language sql stable as $$
  select coalesce(array_agg(row(l, p.ledger_account, null)::duly.ledger_line), '{}')
    from duly.transaction_lines l join duly.products p on p.id = l.product_id
    where l.transaction_id = p_transaction_id
$$;

-- Name the first line that breaks a rule.
create function duly.check_lines(p_lines duly.ledger_line[], p_keys text[], p_ids text[]) returns void
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

create function duly.insert_lines(p_lines duly.ledger_line[]) returns void language sql as $$
  insert into duly.transaction_lines select (u.stored).* from unnest(p_lines) u (stored, ledger_account, rule)
$$;

-- The transfers of documents with lines: one for each ledger account that the lines name, and one for their tax.
create function duly.write_line_transfers(p_lines duly.ledger_line[]) returns void language sql as $$
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
