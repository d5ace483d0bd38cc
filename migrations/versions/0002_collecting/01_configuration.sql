-- What a merchant configures: providers and the currencies they take, payment methods, policies, run definitions.

create table duly.installation (
    id text collate "C" primary key default substr(replace(gen_random_uuid()::text, '-', ''), 1, 10),
    is_only boolean not null unique default true check (is_only),
    functions_hash text not null default '',
    functions_version text not null default '',
    functions_applied_at timestamptz
);

comment on table duly.installation is
    'One row. It opens every idempotency key, so that two databases on one gateway account never share a key.';

insert into duly.installation default values;

create table duly.providers (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    gateway text not null check (gateway in ('stripe')),
    mode text not null check (mode in ('test', 'live')),
    state text not null default 'effective' check (state in ('effective', 'not_effective')),
    created_at timestamptz not null default now()
);

comment on table duly.providers is 'A configured gateway account (X9, X15). Only an effective one may create requests.';

create table duly.provider_currencies (
    provider_id text collate "C" not null references duly.providers,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    minimum_minor bigint not null check (minimum_minor > 0),
    primary key (provider_id, currency)
);

comment on table duly.provider_currencies is 'The currencies a provider takes (X11), and the least it charges in each.';

create table duly.provider_methods (
    payment_method_id text collate "C" primary key references duly.payment_methods,
    provider_id text collate "C" not null references duly.providers
);

comment on table duly.provider_methods is
    'Which provider handles a payment method (F26, F27). The key allows one provider a method (X10).';

create table duly.payment_preferences (
    id text collate "C" primary key default 'pref_' || replace(uuidv7()::text, '-', ''),
    account_id text collate "C" not null references duly.accounts,
    payment_method_id text collate "C" not null references duly.payment_methods,
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    unique (account_id, payment_method_id)
);

create unique index one_default_preference on duly.payment_preferences (account_id) where is_default;

comment on table duly.payment_preferences is 'The ways an account likes to pay (G3, G4); at most one is the default.';

create table duly.gateway_customers (
    provider_id text collate "C" not null references duly.providers,
    account_id text collate "C" not null references duly.accounts,
    customer_reference text collate "C" not null,
    created_at timestamptz not null default now(),
    primary key (provider_id, account_id),
    unique (provider_id, customer_reference)
);

comment on table duly.gateway_customers is 'The gateway''s customer of an account; it belongs to exactly one (G7).';

create table duly.cards (
    id text collate "C" primary key default 'card_' || replace(uuidv7()::text, '-', ''),
    account_id text collate "C" not null references duly.accounts,
    preference_id text collate "C" not null references duly.payment_preferences,
    provider_id text collate "C" not null references duly.providers,
    token text collate "C" unique check (token !~ '^[0-9 -]{12,}$'),
    brand text not null default '',
    last4 text not null default '' check (last4 ~ '^([0-9]{4})?$'),
    exp_month smallint check (exp_month between 1 and 12),
    exp_year smallint check (exp_year between 2000 and 2100),
    fingerprint text collate "C" not null default '',
    mandate_reference text collate "C" not null default '',
    is_recurring boolean not null default false,
    fallback_order smallint not null default 1 check (fallback_order between 1 and 100),
    replaces_id text collate "C" references duly.cards,
    state text not null default 'active'
        check (state in ('registered', 'validating', 'active', 'rejected', 'blocked', 'expired', 'replaced', 'removed')),
    state_reason text not null default '',
    link_token text collate "C" not null unique
        default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
    decisions text[] not null default '{}',
    created_at timestamptz not null default now(),
    checked_at timestamptz not null default now(),
    constraint chargeable_card_is_known check (
        state in ('registered', 'validating', 'rejected', 'removed')
        or (token is not null and last4 <> '' and exp_month is not null and exp_year is not null))
);

create index cards_of_account on duly.cards (account_id, fallback_order);

comment on table duly.cards is 'A stored card: a token and what a receipt may show, never a number (S3, X3, X5).';

create table duly.card_networks (
    brand text collate "C" primary key,
    declines_max integer not null check (declines_max between 1 and 1000),
    days integer not null check (days between 1 and 365)
);

comment on table duly.card_networks is
    'How often a network lets a declined card be tried again in a number of days; a retry beyond it costs a fine.';

insert into duly.card_networks values ('visa', 15, 30), ('mastercard', 35, 30), ('*', 15, 30);

create table duly.dunning_policies (
    id text collate "C" not null check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    version integer not null check (version >= 1),
    segment text not null default '',
    document jsonb not null,
    created_at timestamptz not null default now(),
    primary key (id, segment, version)
);

comment on table duly.dunning_policies is 'Versions of the rules a collection lives by; it ends under the one it began with.';

create table duly.run_definitions (
    id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    kind text not null check (kind in ('billing', 'payment')),
    name text not null check (name <> ''),
    state text not null default 'effective' check (state in ('effective', 'not_effective')),
    provider_id text collate "C" references duly.providers,
    currencies text[] not null default '{}',
    dunning_policy_id text collate "C" not null default 'standard',
    schedule jsonb,
    shards smallint not null default 2 check (shards between 1 and 64),
    window_size smallint not null default 50 check (window_size between 1 and 500),
    page_size smallint not null default 250 check (page_size between 1 and 1000),
    notifies_customer boolean not null default true,
    created_at timestamptz not null default now(),
    check ((kind = 'payment') = (provider_id is not null))
);

comment on table duly.run_definitions is
    'The criteria and the calendar of a run (X16 to X21). No currencies: every one that the provider takes.';

create table duly.subscriptions (
    id text collate "C" primary key,
    account_id text collate "C" not null references duly.accounts,
    product_id text collate "C" not null references duly.products,
    price_minor bigint not null check (price_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    quantity integer not null default 1 check (quantity between 1 and 1000000),
    billing_day smallint not null check (billing_day between 1 and 31),
    starts_on date not null,
    ends_on date check (ends_on > starts_on),
    created_at timestamptz not null default now(),
    -- One amount that no invoice can carry would keep the whole run from being frozen.
    constraint month_fits_an_invoice check (price_minor::numeric * quantity <= 9007199254740991)
);

create index subscriptions_of_account on duly.subscriptions (account_id);

comment on table duly.subscriptions is 'What an account buys every month: a price before tax, and the day it is billed (S9).';
