"""The statements of the bank import."""

ACCOUNTS = """
    select id, currency, state, coalesce(owner_reference, '') as owner_reference from duly.accounts
    where id = any (:words) and kind = 'customer'
"""

INVOICES = """
    select n.number, t.id, t.account_id, t.state, a.currency, a.state as account_state,
        coalesce(a.owner_reference, '') as owner_reference
    from duly.transaction_numbers n
    join duly.financial_transactions t on t.id = n.transaction_id and t.classification = 'invoice'
    join duly.accounts a on a.id = t.account_id and a.kind = 'customer'
    where n.number = any (:words)
"""

IMPORTED = """
    select t.idempotency_key as key, t.total_minor, t.currency, t.account_id, n.number
    from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
    where t.idempotency_key = any (:keys)
"""

SUSPENSE = "select id from duly.accounts where kind = 'suspense' and currency = :currency"

# In order of their accounts, system accounts last, as everybody takes the accounts' locks.
POST = """
    select r.place, p.transaction_id, p.number
    from (select * from jsonb_to_recordset(:rows) as x (place integer, key text, account_id text, amount_minor bigint,
            currency text, invoices text[], issued_on date, reference text, is_suspense boolean)
        order by x.is_suspense, x.account_id, x.place) r
    cross join lateral duly.create_payment(r.key, r.account_id, r.amount_minor, r.currency, 'bank_transfer',
        p_addressed_invoice_ids => r.invoices, p_issued_on => r.issued_on, p_payment_reference => r.reference,
        p_origin => 'system', p_actor => :actor) p
"""

# A payment that an import before this one has made has its note.
NOTE = """
    select duly.add_note(r.id, :actor, r.note) from jsonb_to_recordset(:rows) as r (id text, note text)
    where r.note <> '' and not exists (select from duly.transaction_notes n where n.transaction_id = r.id)
"""
