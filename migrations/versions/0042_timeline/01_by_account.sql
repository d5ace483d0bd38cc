-- An account's page and its timeline read what belongs to it; without these each would read the whole table.
create index messages_of_account on duly.messages (account_id, created_at) where audience = 'customer';

create index disputes_of_account on duly.disputes (account_id);

create index payment_requests_of_account on duly.payment_requests (account_id, created_at);
