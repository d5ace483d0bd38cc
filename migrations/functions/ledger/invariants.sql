-- What must hold at every moment, each row of the view a defect: the rule and the id that breaks it.

create or replace view duly.posting_violations as
  -- I1: a posted header and its transfers name the same amount; nothing else has transfers.
  select 'I1 transfers equal the total' as rule, t.id as offender
    from duly.financial_transactions t
    left join (select source_id, sum(amount_minor) as amount_minor from duly.transfers group by source_id) x
      on x.source_id = t.id
    where case when t.account_version is null then x.source_id is not null
      else coalesce(x.amount_minor, 0) <> t.total_minor end
  union all
  -- I2: the balance is the sum of the account's postings, and none is missing or counted twice.
  select 'I2 balance is the sum of postings', b.account_id
    from duly.account_balances b
    left join (select account_id, count(*) as postings, max(account_version) as version, sum(
          case duly.side_of(classification) when 'debit' then total_minor else -total_minor end) as balance_minor
        from duly.financial_transactions where account_version is not null group by account_id) s using (account_id)
    where (b.balance_minor, b.version, b.version)
      is distinct from (coalesce(s.balance_minor, 0), coalesce(s.postings, 0), coalesce(s.version, 0))
  union all
  -- I3: each posting shows the balance it left.
  select 'I3 running balance', x.id
    from (select id, balance_after_minor, sum(case duly.side_of(classification) when 'debit' then total_minor
          else -total_minor end) over (partition by account_id order by account_version) as balance_minor
        from duly.financial_transactions where account_version is not null) x
    where x.balance_minor <> x.balance_after_minor
  union all
  -- I4: the lines of a document add up to it.
  select 'I4 lines equal the total', t.id
    from duly.financial_transactions t
    left join (select transaction_id, sum(total_minor) as total_minor from duly.transaction_lines group by 1) l
      on l.transaction_id = t.id
    where l.total_minor is distinct from t.total_minor
      and t.classification in ('invoice', 'credit_note', 'write_off', 'invoice_cancellation')
  union all
  -- I5: what is posted has one open item, and what is not has none.
  select 'I5 open item of what is posted', t.id
    from duly.financial_transactions t left join duly.open_items i on i.transaction_id = t.id
    where case when t.account_version is null then i.transaction_id is not null
      else (i.account_id, i.side, i.amount_minor, i.account_version) is distinct from
        (t.account_id, duly.side_of(t.classification), t.total_minor, t.account_version) end
  union all
  -- I6: numbers are given to what is posted, without a gap where the series has none but what a restore has left out; one of no
  -- series is held to that too.
  select 'I6 number of what is posted', t.id
    from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
    where (t.account_version is not null) <> (n.number is not null)
  union all
  select 'I6 numbers without gaps', n.stem
    from (select split_part(number, '-', 1) as stem, count(*) as given,
            min(split_part(number, '-', 2)::bigint) as first, max(split_part(number, '-', 2)::bigint) as last
          from duly.transaction_numbers group by 1) n
    left join duly.number_series s on s.prefix = rtrim(n.stem, '0123456789') and s.is_per_year = (s.prefix <> n.stem)
    left join lateral (select sum(g.last - g.first + 1) as left_out, max(g.last) filter (where g.first = 1) as before_first
        from duly.number_gaps g where g.stem = n.stem and g.first <= n.last) g on true
    where s.is_gap_free is distinct from false
      and (n.first, n.last) is distinct from (coalesce(g.before_first, 0) + 1, n.given + coalesce(g.left_out, 0));

create or replace view duly.allocation_violations as
  -- I7: what an item has allocated is the sum of its current allocations.
  select 'I7 allocated is the sum of allocations' as rule, i.transaction_id as offender
    from duly.open_items i
    left join (select x.id, sum(a.amount_minor) as amount_minor from duly.current_allocations a
        cross join lateral (values (a.credit_id), (a.debit_id)) x (id) group by x.id) s on s.id = i.transaction_id
    where i.allocated_minor <> coalesce(s.amount_minor, 0)
  union all
  -- I8: a balance is what is open on it.
  select 'I8 balance is what is open', b.account_id
    from duly.account_balances b
    left join (select account_id, sum(case side when 'debit' then 1 else -1 end * (amount_minor - allocated_minor))
        as open_minor from duly.open_items group by account_id) i using (account_id)
    where b.balance_minor <> coalesce(i.open_minor, 0)
  union all
  -- I9: nobody owes an invoice and has credit at once.
  select 'I9 open on one side only', account_id
    from duly.open_items where allocated_minor < amount_minor group by account_id having count(distinct side) > 1
  union all
  -- I10: an allocation joins a credit and a debit of one account.
  select 'I10 allocation within an account', a.id::text
    from duly.allocations a
    join duly.open_items c on c.transaction_id = a.credit_id
    join duly.open_items d on d.transaction_id = a.debit_id
    where (c.side, d.side) <> ('credit', 'debit') or c.account_id <> a.account_id or d.account_id <> a.account_id
  union all
  -- I11: a cancelled document keeps one allocation, to its cancellation, for all of it.
  select 'I11 cancelled with its cancellation', t.id
    from duly.financial_transactions t
    left join duly.financial_transactions c on c.counterpart_id = t.id
      and c.classification in ('invoice_cancellation', 'payment_cancellation')
    where (t.state = 'cancelled') <> (c.id is not null) or (t.state = 'cancelled' and sign(t.total_minor) <> (
      select count(*) filter (where a.amount_minor = t.total_minor and c.id in (a.credit_id, a.debit_id))
          + 10 * count(*) filter (where c.id not in (a.credit_id, a.debit_id))
        from duly.current_allocations a where t.id in (a.credit_id, a.debit_id)))
  union all
  -- I12: a written-off invoice has its write-off, and that its mirror.
  select 'I12 written off with its mirror', t.id
    from duly.financial_transactions t
    left join duly.financial_transactions w on w.counterpart_id = t.id and w.classification = 'write_off'
    left join duly.financial_transactions m on m.counterpart_id = w.id and m.classification = 'invoice'
    where t.classification = 'invoice' and (t.state = 'written_off') <> (w.id is not null and m.id is not null);

create or replace view duly.ledger_violations as
  -- I13: an account's balance is the balance of its ledger account.
  select 'I13 sub-ledger equals its control account' as rule, b.account_id as offender
    from duly.account_balances b
    join duly.accounts a on a.id = b.account_id
    left join (select ledger_account, currency, sum(debit_minor - credit_minor) as balance_minor
        from duly.ledger_entries group by ledger_account, currency) e
      on e.ledger_account = duly.ledger_account_of(a.kind, a.id) and e.currency = a.currency
    where b.balance_minor <> coalesce(e.balance_minor, 0)
  union all
  -- I14: the trial balance is zero in every currency, roll-ups included.
  select 'I14 trial balance is zero', t.currency
    from duly.trial_balance() t group by t.currency having sum(t.debit_minor) <> sum(t.credit_minor)
  union all
  -- I15: every transfer belongs to what was posted, in its currency.
  select 'I15 transfer of what was posted', x.id::text
    from duly.transfers x
    left join duly.financial_transactions t on t.id = x.source_id and t.account_version is not null
    left join duly.gateway_bookings g on g.id = x.source_id
    left join duly.wallet_transactions w on w.id = x.source_id
    left join duly.voucher_transactions v on v.id = x.source_id
    where x.currency is distinct from coalesce(t.currency, g.currency, w.currency, v.currency)
  union all
  -- I16: what was sealed is as it was, and the seals form one chain.
  select 'I16 seal of the ledger', r.id::text
    from (select x.*, lag(x.upto_transfer_id, 1, 0) over (order by x.id) as expected_after,
          lag(x.seal) over (order by x.id) as expected_seal from duly.ledger_roll_ups x) r
    where r.after_transfer_id <> r.expected_after or (r.seal is not null and (
      r.previous_seal is distinct from r.expected_seal
      or r.seal <> duly.seal_of(r.after_transfer_id, r.upto_transfer_id, r.previous_seal)))
  union all
  -- I17: the sums of a roll-up are the sums of its transfers.
  select 'I17 roll-up equals its transfers', r.id::text
    from duly.ledger_roll_ups r
    where r.seal is not null and (select sum(debit_minor) from duly.ledger_day_sums s where s.roll_up_id = r.id)
      is distinct from (select sum(amount_minor)::numeric from duly.transfers x
        where x.id > r.after_transfer_id and x.id <= r.upto_transfer_id);

create or replace view duly.period_violations as
  -- I18: what was posted on a day that was closed was posted by who had the right to it.
  select 'I18 posted on an open day' as rule, t.id as offender
    from (select c.closed_until, c.made_at, lead(c.made_at, 1, 'infinity') over (order by c.id) as counted_until
        from duly.closings c) c
    join duly.financial_transactions t on t.posted_on <= c.closed_until and t.posted_at > c.made_at and t.posted_at < c.counted_until
    where not exists (select from duly.any_day_postings p where p.posted_xid = t.posted_xid)
  union all
  select 'I18 posted on an open day', g.id
    from (select c.closed_until, c.made_at, lead(c.made_at, 1, 'infinity') over (order by c.id) as counted_until
        from duly.closings c) c
    join duly.gateway_bookings g on g.posted_on <= c.closed_until and g.posted_at > c.made_at and g.posted_at < c.counted_until
  union all
  select 'I18 posted on an open day', w.id
    from (select c.closed_until, c.made_at, lead(c.made_at, 1, 'infinity') over (order by c.id) as counted_until
        from duly.closings c) c
    join duly.wallet_transactions w on w.posted_on <= c.closed_until and w.posted_at > c.made_at and w.posted_at < c.counted_until
    where not exists (select from duly.any_day_postings p where p.posted_xid = w.posted_xid)
  union all
  select 'I18 posted on an open day', v.id
    from (select c.closed_until, c.made_at, lead(c.made_at, 1, 'infinity') over (order by c.id) as counted_until
        from duly.closings c) c
    join duly.voucher_transactions v on v.posted_on <= c.closed_until and v.posted_at > c.made_at and v.posted_at < c.counted_until;

create or replace view duly.wallet_violations as
  -- I19: a wallet is the sum of its transfers, of its transactions, and of what is left of its credits.
  select 'I19 wallet is the sum of its transfers' as rule, x.account_id as offender
    from (select substr(e.ledger_account, 8) as account_id, sum(e.credit_minor - e.debit_minor) as balance_minor
        from duly.ledger_entries e where e.control_account = 'wallet' group by 1) x
    full join (select w.account_id, count(*) as transactions, max(w.wallet_version) as version,
          sum(case w.direction when 'credit' then w.amount_minor else -w.amount_minor end) as balance_minor
        from duly.wallet_transactions w group by 1) s using (account_id)
    where x.balance_minor is distinct from s.balance_minor or s.transactions is distinct from s.version
      or s.balance_minor <> duly.wallet_balance(account_id)
  union all
  select 'I19 running balance of a wallet', x.id
    from (select w.id, w.balance_after_minor, sum(case w.direction when 'credit' then w.amount_minor else -w.amount_minor end)
          over (partition by w.account_id order by w.wallet_version) as balance_minor from duly.wallet_transactions w) x
    where x.balance_minor <> x.balance_after_minor
  union all
  -- I20: a debit has used credits for its amount, a void has given them back, and no credit is used beyond itself.
  select 'I20 debits use credits', w.id
    from duly.wallet_transactions w
    left join (select transaction_id, sum(amount_minor) as amount_minor from duly.wallet_uses group by 1) u on u.transaction_id = w.id
    where (w.direction = 'debit' or w.voids_id is not null)
      and u.amount_minor is distinct from (case w.direction when 'debit' then w.amount_minor else -w.amount_minor end)::numeric
  union all
  select 'I20 credit within itself', w.id
    from duly.wallet_transactions w join (select credit_id, sum(amount_minor) as used_minor from duly.wallet_uses group by 1) u
      on u.credit_id = w.id
    where u.used_minor not between 0 and w.amount_minor or w.direction <> 'credit' or w.voids_id is not null
  union all
  -- I21: nothing stays between wallets and receivables, and what is on the other side is there for the same amount.
  select 'I21 clearing of wallets is zero', e.currency
    from duly.ledger_entries e where e.ledger_account = 'wallet_clearing' group by e.currency having sum(e.debit_minor - e.credit_minor) <> 0
  union all
  select 'I21 document of a wallet transaction', w.id
    from duly.wallet_transactions w join duly.financial_transactions t on t.id in (w.transaction_id, w.made_invoice_id)
    where (t.account_id, t.currency, t.total_minor) <> (w.account_id, w.currency, w.amount_minor) or t.account_version is null
  union all
  -- I24: what is invoiced of top-ups and in no wallet is what runs ask for, and nothing is in a wallet whose money is not there.
  select 'I24 top-ups that are asked for', currency
    from (select e.currency, sum(e.credit_minor - e.debit_minor) as owed_minor
        from duly.ledger_entries e where e.ledger_account = 'wallet_top_ups' group by 1) l
    full join (select u.currency, sum(u.amount_minor) as asked_minor from duly.wallet_top_ups u where u.state = 'requested' group by 1) r
      using (currency)
    where coalesce(l.owed_minor, 0) <> coalesce(r.asked_minor, 0)
  union all
  select 'I24 top-up in the wallet is settled', u.invoice_id
    from duly.wallet_top_ups u join duly.open_items o on o.transaction_id = u.invoice_id
    where u.state = 'credited' and o.allocated_minor < o.amount_minor
      and (select coalesce(sum(x.amount_minor), 0) from duly.wallet_uses x where x.credit_id = u.credited_id) < u.amount_minor
  union all
  select 'I24 invoice of a top-up', u.invoice_id
    from duly.wallet_top_ups u join duly.financial_transactions t on t.id = u.invoice_id
    left join duly.open_items o on o.transaction_id = t.id
    where (t.account_id, t.currency, t.total_minor, t.classification) <> (u.account_id, u.currency, u.amount_minor, 'invoice')
      or (u.state = 'requested' and t.state <> 'posted') or (u.state = 'withdrawn' and t.state <> 'cancelled')
      or (u.state = 'requested' and o.allocated_minor = o.amount_minor);

create or replace view duly.voucher_violations as
  -- I22: what is owed for vouchers is what those that are out are worth, and each step is the vouchers it has issued or ended.
  select 'I22 liability is the vouchers that are out' as rule, currency as offender
    from (select e.currency, sum(e.credit_minor - e.debit_minor) as owed_minor
        from duly.ledger_entries e where e.ledger_account = 'vouchers' group by 1) l
    full join (select b.currency, sum(b.amount_minor) as out_minor from duly.vouchers v join duly.voucher_batches b on b.id = v.batch_id
        where not exists (select from duly.voucher_ends n where n.voucher_id = v.id) group by 1) o using (currency)
    where coalesce(l.owed_minor, 0) <> coalesce(o.out_minor, 0)
  union all
  select 'I22 step of vouchers', x.id
    from duly.voucher_transactions x join duly.voucher_batches b on b.id = x.batch_id
    cross join lateral (select case x.kind
        when 'issued' then (select count(*) from duly.vouchers v where v.batch_id = b.id)
        else (select count(*) from duly.voucher_ends n join duly.vouchers v on v.id = n.voucher_id and v.batch_id = b.id
          where n.transaction_id = x.id) end as vouchers) c
    where x.amount_minor <> b.amount_minor * c.vouchers or x.kind = 'issued' and c.vouchers <> b.vouchers
      or x.kind = 'redeemed' and (c.vouchers <> 1 or x.transaction_id is null)
      or not exists (select from duly.transfers f where f.source_id = x.id and f.amount_minor = x.amount_minor and f.currency = x.currency)
  union all
  -- I23: nothing stays between vouchers and receivables, and what is on the other side is there for the same amount.
  select 'I23 clearing of vouchers is zero', e.currency
    from duly.ledger_entries e where e.ledger_account = 'voucher_clearing' group by e.currency having sum(e.debit_minor - e.credit_minor) <> 0
  union all
  select 'I23 document of vouchers', x.id
    from duly.voucher_transactions x join duly.financial_transactions t on t.id = x.transaction_id
    where (t.account_id, t.currency, t.total_minor) <> (x.account_id, x.currency, x.amount_minor) or t.account_version is null;

create or replace view duly.invariant_violations as
  select rule, offender from duly.posting_violations
  union all select rule, offender from duly.allocation_violations
  union all select rule, offender from duly.ledger_violations
  union all select rule, offender from duly.period_violations
  union all select rule, offender from duly.wallet_violations
  union all select rule, offender from duly.voucher_violations
  union all select rule, offender from duly.debit_violations;
