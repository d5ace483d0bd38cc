-- A receivable is a name and a claim on invoices, each of which has one owner (functions/collections/claims.sql). What stands
-- in the columns `period` is the receivable's name: its month, or its month with a suffix.

create table duly.claims (
    invoice_id text collate "C" primary key,
    account_id text collate "C" not null,
    period text collate "C" not null,
    claimed_at timestamptz not null default now()
);

create index claims_of_receivable on duly.claims (account_id, period);

comment on table duly.claims is 'Which receivable an invoice belongs to while somebody collects it. The key is the lock.';

alter table duly.collections
    add column rest_until bigint,
    add column follows text collate "C" not null default '';

comment on column duly.collections.rest_until is
    'There was more than one receivable holds: what is left of the account''s postings up to this one is the next one''s.';

create unique index one_next_part on duly.collections (account_id, follows) where follows <> '';

alter table duly.run_items
    add column receivable text collate "C" not null default '',
    add column rest_until bigint;

comment on column duly.run_items.receivable is 'The name of what the run collects from its member, where that is not its month.';

-- What keeps the claims, as the release before this one needs it: its workers write meanwhile, and the functions that are
-- replaced by every migrate come after the tables.
create function duly.claim_invoices() returns trigger language plpgsql as $$
begin
    insert into duly.claims (invoice_id, account_id, period)
    select distinct u.id, new.account_id, new.period from unnest(new.invoices) u (id)
    on conflict do nothing;
    return null;
end $$;

create function duly.release_invoices() returns trigger language plpgsql as $$
begin
    delete from duly.claims w
    where w.account_id = new.account_id and w.period = new.period
      and not exists (select from duly.collections c
          where c.account_id = new.account_id and c.period = new.period and c.closed_at is null)
      and not exists (select from duly.gateway_requests r
          where r.account_id = new.account_id and r.period = new.period and r.kind = 'payment'
            and r.state in ('pending', 'under_processing', 'unknown'));
    return null;
end $$;

create trigger claim_invoices after insert on duly.collections
    for each row when (new.closed_at is null) execute function duly.claim_invoices();

create trigger claim_invoices_again after update of closed_at on duly.collections
    for each row when (old.closed_at is not null and new.closed_at is null) execute function duly.claim_invoices();

create trigger release_invoices after update of closed_at on duly.collections
    for each row when (old.closed_at is null and new.closed_at is not null) execute function duly.release_invoices();

create trigger claim_invoices after insert on duly.gateway_requests
    for each row when (new.kind = 'payment' and new.state in ('pending', 'under_processing', 'unknown'))
    execute function duly.claim_invoices();

create trigger claim_invoices_again after update of state on duly.gateway_requests
    for each row when (new.kind = 'payment' and old.state not in ('pending', 'under_processing', 'unknown')
        and new.state in ('pending', 'under_processing', 'unknown')) execute function duly.claim_invoices();

create trigger release_invoices after update of state on duly.gateway_requests
    for each row when (new.kind = 'payment' and old.state in ('pending', 'under_processing', 'unknown')
        and new.state not in ('pending', 'under_processing', 'unknown')) execute function duly.release_invoices();

-- What is being collected now. Nothing is written meanwhile, for the triggers hold both tables.
insert into duly.claims (invoice_id, account_id, period)
select distinct on (w.invoice_id) w.invoice_id, w.account_id, w.period
from (
    select c.account_id, c.period, unnest(c.invoices) as invoice_id, 1 as place from duly.collections c where c.closed_at is null
    union all
    select r.account_id, r.period, unnest(r.invoices), 2 from duly.gateway_requests r
    where r.kind = 'payment' and r.state in ('pending', 'under_processing', 'unknown')) w
order by w.invoice_id, w.place;
