-- The list of payments and requests, newest first, and look-ups by whatever somebody has in hand: a page is read by an index,
-- however many there are.

create index requests_by_time on duly.gateway_requests (created_at, id);

create index requests_of_run_by_time on duly.gateway_requests (run_id, created_at, id) where run_id is not null;

drop index duly.requests_of_run;

create index requests_of_card on duly.gateway_requests (card_id) where card_id is not null;

create index rejected_requests on duly.gateway_requests (created_at, id) where state = 'rejected';

create index attempts_by_reference on duly.gateway_attempts (gateway_reference) where gateway_reference is not null;

create index transactions_by_payment_reference on duly.financial_transactions (payment_reference)
    where payment_reference is not null;
