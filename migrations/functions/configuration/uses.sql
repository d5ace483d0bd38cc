-- What a part of the configuration goes on being used by: asked before a document and after it, in its commit, so that what it would
-- leave behind is refused by name, and what an older release left behind stands in nobody's way.

-- Payment methods, tax rates, products, due-date rules and transaction types that something uses as they are no longer.
create or replace function duly.conflicts_of_catalogue()
returns table (kind text, id text, field text, rule text, used_by text, users bigint, example text)
language sql stable set search_path = duly, pg_temp as $$
    select 'payment_methods', m.id, 'active', 'method_in_use', 'type ' || t.id, 1, null
    from duly.payment_methods m join duly.transaction_types t on m.id = any (t.allowed_methods) and t.is_active
    where not m.is_active
    union all
    select 'payment_methods', m.id, 'active', 'method_in_use', 'provider ' || p.provider_id, 1, null
    from duly.payment_methods m join duly.provider_methods p on p.payment_method_id = m.id where not m.is_active
    union all
    select 'payment_methods', m.id, 'active', 'method_in_use', 'accounts that pay by it', count(*), min(p.account_id)
    from duly.payment_methods m join duly.payment_preferences p on p.payment_method_id = m.id and p.is_default
    join duly.accounts a on a.id = p.account_id and a.state <> 'terminated'
    where not m.is_active group by m.id
    union all
    select 'tax_rates', r.id, 'active', 'tax_rate_in_use', 'products', count(*), min(p.id)
    from duly.tax_rates r join duly.products p on p.tax_rate_id = r.id and p.is_active where not r.is_active group by r.id
    union all
    select 'products', p.id, 'active', 'product_in_use', 'ledger.write_off_product', 1, null
    from duly.products p join duly.definitions d on d.write_off_product_id = p.id where not p.is_active
    union all
    select 'due_date_rules', r.id, 'active', 'due_date_rule_in_use', 'ledger.due_date_rule', 1, null
    from duly.due_date_rules r join duly.definitions d on d.due_date_rule_id = r.id where not r.is_active
    union all
    select 'due_date_rules', r.id, 'active', 'due_date_rule_in_use', 'accounts', count(*), min(a.id)
    from duly.due_date_rules r join duly.accounts a on a.due_date_rule_id = r.id and a.state <> 'terminated'
    where not r.is_active group by r.id
    union all
    select 'transaction_types', c.classification::text, 'default', 'default_type_exists', 'transactions without a type', 1, null
    from unnest(enum_range(null::duly.classification)) c (classification)
    where not exists (select from duly.transaction_types t where t.classification = c.classification and t.is_default and t.is_active)
    union all
    select 'transaction_types', t.id, 'active', 'type_in_use', 'Duly itself, for money that comes back', 1, null
    from duly.transaction_types t where not t.is_active and t.id in ('payment_kept', 'refund_returned')
    union all
    select 'due_date_rules', r.id, 'proximity_days', 'credit_periods_fit', 'accounts with a credit period beyond its proximity',
        count(*), min(a.id)
    from duly.accounts a cross join duly.definitions d
    join duly.due_date_rules r on r.id = coalesce(a.due_date_rule_id, d.due_date_rule_id)
    where a.state <> 'terminated' and a.credit_period_days is not null and r.proximity_operator is not null
      and a.credit_period_days not between case when r.proximity_operator = 'plus' then 0 else -r.proximity_days end
        and case when r.proximity_operator = 'minus' then 0 else r.proximity_days end
    group by r.id
$$;

-- What wallets, vouchers and top-ups use.
create or replace function duly.conflicts_of_prepayment()
returns table (kind text, id text, field text, rule text, used_by text, users bigint, example text)
language sql stable set search_path = duly, pg_temp as $$
    select 'products', p.id, case when p.is_active then 'ledger_account' else 'active' end, 'product_in_use', 'wallet type ' || y.id, 1, null
    from duly.products p join duly.wallet_transaction_types y on y.product_id = p.id and y.is_active
    where not p.is_active or (y.direction = 'credit') <> (p.ledger_account = 'wallet_clearing')
      or (y.direction = 'credit' and p.tax_rate_id is not null)
    union all
    select 'payment_methods', m.id, case when m.is_active then 'ledger_account' else 'active' end, 'method_in_use',
        'wallet type ' || y.id, 1, null
    from duly.payment_methods m join duly.wallet_transaction_types y on y.payment_method_id = m.id and y.is_active
    where not m.is_active or m.ledger_account <> 'wallet_clearing'
    union all
    select 'products', p.id, case when p.is_active then 'ledger_account' else 'active' end, 'product_in_use', 'voucher type ' || y.id, 1, null
    from duly.products p join duly.voucher_types y on y.product_id = p.id
    where y.is_active and not p.is_active or p.ledger_account <> 'voucher_clearing' or p.tax_rate_id is not null
    union all
    select 'payment_methods', m.id, case when m.is_active then 'ledger_account' else 'active' end, 'method_in_use',
        'voucher type ' || y.id, 1, null
    from duly.payment_methods m join duly.voucher_types y on y.payment_method_id = m.id
    where y.is_active and not m.is_active or m.ledger_account <> 'voucher_clearing'
    union all
    select 'products', p.id, case when p.is_active then 'ledger_account' else 'active' end, 'product_in_use', 'top-ups of ' || u.currency, 1, null
    from duly.products p join duly.wallet_top_up_rules u on u.product_id = p.id and u.is_active
    where not p.is_active or p.ledger_account <> 'wallet_top_ups' or p.tax_rate_id is not null
    union all
    select 'products', p.id, 'ledger_account', 'product_in_use', 'top-ups that are not paid', count(*), min(u.invoice_id)
    from duly.wallet_top_ups u join duly.transaction_lines l on l.transaction_id = u.invoice_id join duly.products p on p.id = l.product_id
    where u.state = 'requested' and p.ledger_account <> 'wallet_top_ups' group by p.id
    union all
    select 'wallet_transaction_types', y.id, 'active', 'wallet_type_in_use', 'top-ups of ' || u.currency, 1, null
    from duly.wallet_transaction_types y join duly.wallet_top_up_rules u on u.wallet_type_id = y.id and u.is_active
    where not y.is_active or y.product_id is null
    union all
    select 'wallet_transaction_types', y.id, 'expires_after_days', 'wallet_expiry_type', 'credits that expire, which no type would book', 1, null
    from duly.wallet_transaction_types y where y.is_active and y.expires_after_days is not null
      and not exists (select from duly.wallet_transaction_types e where e.books_expiry and e.is_active)
    union all
    select 'wallet_transaction_types', 'books_expiry', 'books_expiry', 'wallet_expiry_type', 'credits that end', count(*), min(w.number)
    from duly.wallet_transactions w
    where w.expires_on is not null
      and w.amount_minor > (select coalesce(sum(u.amount_minor), 0) from duly.wallet_uses u where u.credit_id = w.id)
      and not exists (select from duly.wallet_transaction_types e where e.books_expiry and e.is_active)
    having count(*) > 0
$$;

-- Segments and the rules of cards.
create or replace function duly.conflicts_of_rules()
returns table (kind text, id text, field text, rule text, used_by text, users bigint, example text)
language sql stable set search_path = duly, pg_temp as $$
    -- A name that accounts have as their label goes on meaning them.
    select 'segments', s.id, 'active', 'segment_in_use', x.used_by, 1, null
    from duly.segments s join lateral (
        select 'run definition ' || d.id as used_by from duly.run_definitions d where d.state = 'effective' and d.criteria -> 'segments' ? s.id
        union select 'dunning policy ' || p.id from duly.dunning_policies p where p.segment = s.id
        union select 'its reminder rule' from duly.reminder_rules r where r.segment = s.id
        union select 'segment ' || k.id from duly.segments k where k.is_active and k.criteria ->> 'accounts' = s.id) x on true
    where not s.is_active and not exists (select from duly.accounts a where a.segment = s.id)
    union all
    select 'card_rules', 'card_rules', 'reminder_days', 'reminder_before_the_end', 'pages that end before it', 1, null
    from duly.card_rules r where r.reminder_days >= r.action_days
$$;

-- `used_by` says by whom or by what kind, `users` how many there are: what a document makes no more of is left to whoever configured it.
create or replace function duly.configuration_conflicts()
returns table (kind text, id text, field text, rule text, used_by text, users bigint, example text)
language sql stable set search_path = duly, pg_temp as $$
    select * from duly.conflicts_of_catalogue()
    union all
    select * from duly.conflicts_of_prepayment()
    union all
    select * from duly.conflicts_of_rules()
$$;

-- By whom what a document no longer names is used, in one word for an operator; null if by nobody.
create or replace function duly.configuration_user(p_kind text, p_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case p_kind
        when 'products' then
            (select format('subscription %s', min(s.id)) from duly.subscriptions s
             where s.product_id = p_id and coalesce(s.ends_on, 'infinity') > current_date having count(*) > 0)
        when 'card_networks' then case when p_id = '*' then 'every network without a row of its own' end
        when 'reminder_rules' then case when p_id = '' then 'every segment without a rule of its own' end
    end
$$;

-- Take away what nothing refers to, the whole row; everything else is retired, for what was posted names it.
create or replace function duly.take_away_configuration(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if duly.configuration_user(p_kind, p_id) is not null then
        perform duly.refuse('part_in_use', format('%s: %L is used by %s', p_kind, p_id, duly.configuration_user(p_kind, p_id)));
    end if;
    case p_kind
        when 'card_networks' then delete from duly.card_networks where brand = p_id;
        when 'reminder_rules' then delete from duly.reminder_rules where segment = p_id;
        when 'statement_layouts' then delete from duly.statement_layouts where id = p_id;
        else perform duly.refuse('kind_is_taken_away', format('kind: %s are retired and not taken away, or there are none', p_kind));
    end case;
end $$;
