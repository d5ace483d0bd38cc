-- Money back through the gateway: refunds of any part of a payment, and cancellations of what is left of it (F53, F66 to
-- F69, X24, X31 to X42). A request is written down before any call of the gateway, under the account's lock, so that what
-- is requested back of a payment can never come to more than was captured.

create table duly.refund_rules (
    is_only boolean primary key default true check (is_only),
    watch_days integer not null default 30 check (watch_days between 0 and 365),
    collects_reopened boolean not null default false
);

insert into duly.refund_rules default values;

comment on table duly.refund_rules is
    'One row. How long a refund that succeeded is watched, for it can still fail, and whether invoices that a returned
payment leaves open are collected at once or with the next run.';

-- What a payment brought and what became of it, in minor units. `left` may still be given back.
create type duly.payment_left as (request_id text, transaction_id text, account_id text, provider_id text, currency text,
    gateway_reference text, captured_minor bigint, returned_minor bigint, disputed_minor bigint, left_minor bigint,
    is_in_flight boolean, is_disputed boolean);
