-- What came of a merchant's account before that was bound to a provider is looked for when it is.
create index events_of_accounts on duly.gateway_events (gateway_account)
    where gateway_account <> '' and state in ('waiting', 'needs_review');
