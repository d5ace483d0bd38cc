-- A merchant's own account at the gateway is a provider of its own: its customers, cards, payments, movements, balances and marks are
-- kept apart from the platform's by the provider's id, as those of any two providers are.

alter table duly.providers
    add column merchant_id text collate "C" references duly.merchants,
    add column gateway_account text collate "C" unique check (gateway_account ~ '^acct_[A-Za-z0-9]{1,240}$'),
    add check (gateway_account is null or merchant_id is not null);

create index providers_of_merchant on duly.providers (merchant_id) where merchant_id is not null;

comment on column duly.providers.gateway_account is
    'The merchant''s account that every request of the provider goes to, once it is known and for good. Empty: the key''s own.';
