-- Several payers of one request, of whom the first who pays has paid for all: each has mail and links of their own, and the page is
-- one for all. `opened_by` is whose link opened it last: 0 is the account's.

alter table duly.payment_requests add column payers text[] not null default '{}' check (cardinality(payers) <= 50),
    add column opened_by integer not null default 0;

alter table duly.request_links add column payer integer not null default 0;
