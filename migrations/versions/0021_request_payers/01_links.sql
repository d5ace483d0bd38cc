-- The links of payment requests: of what a link ends in the hash alone is kept, so that who reads the database can pay nothing with
-- it. Each time that a link is handed out, by a command, a service or a mail, it is another one; all lead to their request.

create table duly.request_links (
    token_hash text collate "C" primary key check (token_hash ~ '^[0-9a-f]{64}$'),
    request_id text collate "C" not null references duly.payment_requests,
    created_at timestamptz not null default clock_timestamp()
);

create index request_links_of_request on duly.request_links (request_id);

comment on table duly.request_links is 'The SHA-256 of what each link of a payment request ends in: 256 random bits, which nobody keeps.';
