-- How customers get into the portal: by a link that is mailed, once, and then by a session. Of both the hash alone is kept.

create table duly.portal_links (
    token_hash text collate "C" primary key check (length(token_hash) = 64),
    account_id text collate "C" not null references duly.accounts,
    made_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    used_at timestamptz
);

create index portal_links_of_account on duly.portal_links (account_id);

create table duly.portal_sessions (
    token_hash text collate "C" primary key check (length(token_hash) = 64),
    account_id text collate "C" not null references duly.accounts,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);

create index portal_sessions_of_account on duly.portal_sessions (account_id);

comment on table duly.portal_links is 'Links by which a customer signs in: short-lived, for one account, used once.';

comment on table duly.portal_sessions is 'Sessions of customers, each of one account; kept for 90 days.';

-- The link to sign in by is for the customer. What is there keeps the rule: it is only widened.
alter table duly.messages drop constraint messages_check;

alter table duly.messages add constraint messages_check check ((audience = 'customer') = (kind in ('receipt', 'declined',
    'card_needed', 'action_required', 'given_up', 'card_expiring', 'card_confirmation', 'card_rejected', 'refunded',
    'refund_returned', 'invoice_due', 'invoice_overdue', 'payment_requested', 'portal_link'))) not valid;

-- Whoever reads the old address is no longer whom the account is for: replaced by its file with every migrate.
create function duly.end_portal_access() returns trigger
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    return null;
end $$;

create trigger end_portal_access after update of email on duly.accounts
    for each row when (old.email is distinct from new.email) execute function duly.end_portal_access();
