-- What the audit compares of bank debits each night: what the bank's statements brought and took back, the debits, and the ledger.

create or replace view duly.debit_violations as
  -- I25: a line of a statement is the debits that it brought, or those that it took back and the bank's charges.
  select 'I25 line of bank debits' as rule, l.key as offender
    from duly.debit_lines l
    left join (select brought_by as key, sum(amount_minor) as minor from duly.debits where brought_by is not null group by 1) b using (key)
    left join (select taken_back_by as key, sum(amount_minor) as minor from duly.debits where taken_back_by is not null group by 1) t using (key)
    where case when l.amount_minor > 0 then b.minor is distinct from l.amount_minor or t.minor is not null
      else b.minor is not null or (t.minor between 1 and -l.amount_minor) is not true end
  union all
  select 'I25 debit as its lines have it', d.id
    from duly.debits d
    where case d.state when 'collected' then d.brought_by is null or d.taken_back_by is not null
      when 'returned' then d.brought_by is null or d.taken_back_by is null
      when 'rejected' then d.brought_by is null and d.taken_back_by is not null
      else d.brought_by is not null or d.taken_back_by is not null end
  union all
  -- I26: the attempt of a debit says what the bank has said, once it has, but where a person said it first.
  select 'I26 attempt of a bank debit', d.id
    from duly.debits d join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
    where a.resolved_by = '' and a.outcome is distinct from (case d.state when 'rejected' then 'declined'
      when 'collected' then 'succeeded' when 'returned' then 'succeeded' else a.outcome end)
      or d.state in ('pending', 'exported') and a.outcome in ('succeeded', 'declined') and a.resolved_by = ''
  union all
  -- I27: between two lines nothing stays in the clearing of such a provider; what a person has said to be paid waits there for its line.
  select 'I27 clearing of bank debits is zero', e.ledger_account || ' ' || e.currency
    from duly.ledger_entries e join duly.providers p on p.gateway = 'sepa_debit' and e.ledger_account = 'gateway_clearing:' || p.id
    where not exists (select from duly.debits d join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
      where d.provider_id = p.id and a.resolved_by <> '')
    group by e.ledger_account, e.currency having sum(e.debit_minor - e.credit_minor) <> 0;
