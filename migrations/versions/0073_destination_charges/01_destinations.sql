-- How a merchant is paid: on its own account, or out of what the platform has taken for it.
alter table duly.merchants add column flow text not null default 'direct' check (flow in ('direct', 'destination'));

comment on column duly.merchants.flow is
    'direct: its customers pay on its account. destination: they pay the platform, which passes it on. Fixed once it is connected.';

-- Through which provider of the platform's a merchant's is connected: fixed with its account.
alter table duly.providers add column platform_id text collate "C" references duly.providers;

update duly.providers p set platform_id = c.provider_id
from duly.merchant_connections c where c.gateway_account = p.gateway_account and p.merchant_id is not null;

-- Whose customers accounts are, of merchants that are paid by the platform.
create table duly.merchant_payers (
    id bigint generated always as identity primary key,
    merchant_id text collate "C" not null references duly.merchants,
    account_id text collate "C" not null references duly.accounts,
    assigned_at timestamptz not null default clock_timestamp(),
    assigned_by text not null,
    assigned_because text not null,
    ended_at timestamptz,
    ended_by text not null default '',
    ended_because text not null default ''
);

create unique index one_merchant_of_payer on duly.merchant_payers (account_id) where ended_at is null;
create index payers_of_merchant on duly.merchant_payers (merchant_id, id);

comment on table duly.merchant_payers is 'Accounts whose payments the platform takes for a merchant, from when to when, and in whose name.';

alter table duly.gateway_attempts add column merchant_provider text collate "C" not null default '';

comment on column duly.gateway_attempts.merchant_provider is
    'The provider of the merchant to whose account the money goes on, as every sending of the attempt says. Empty: it stays where it is taken.';
