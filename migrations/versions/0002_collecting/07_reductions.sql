-- Back-end reductions: a customer pays the full price at a participating merchant, and the reward's discount goes back to
-- them through the gateway (F134 to F136, X65 to X70).

create table duly.merchant_groups (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    name text not null check (name <> ''),
    reduction jsonb
);

create table duly.merchants (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    group_id text collate "C" references duly.merchant_groups,
    name text not null check (name <> ''),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    account_id text collate "C" references duly.accounts,
    is_effective boolean not null default true,
    reduction jsonb
);

comment on table duly.merchants is
    'Who takes part in rewards. `account_id` is billed for the merchant''s share; `reduction` overrides the group''s settings.';

create table duly.reductions (
    award_id text collate "C" primary key check (award_id ~ '^[a-z][A-Za-z0-9_-]{2,39}$'),
    merchant_id text collate "C" not null references duly.merchants,
    account_id text collate "C" not null references duly.accounts,
    payment_id text collate "C" references duly.financial_transactions,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    settings jsonb not null,
    state text not null default 'awarded' check (state in ('awarded', 'refunding', 'granted', 'clawed_back', 'given_up')),
    reason text not null default '',
    awarded_at timestamptz not null default now(),
    closed_at timestamptz,
    decisions text[] not null default '{}',
    check ((state in ('granted', 'clawed_back', 'given_up')) = (closed_at is not null))
);

create index reductions_of_account on duly.reductions (account_id);

create index reductions_of_merchant on duly.reductions (merchant_id, awarded_at);

create index reductions_of_payment on duly.reductions (payment_id) where payment_id is not null;

create index reductions_to_send on duly.reductions (award_id) where state = 'awarded';

comment on table duly.reductions is
    'A reward that is owed to a customer, with the settings it was awarded under. The id is the reward''s: once is once.';

create table duly.reduction_parts (
    award_id text collate "C" not null references duly.reductions,
    part smallint not null check (part between 1 and 100),
    request_id text collate "C" unique references duly.gateway_requests,
    amount_minor bigint not null check (amount_minor > 0),
    credit_id text collate "C" references duly.financial_transactions,
    share_id text collate "C" references duly.financial_transactions,
    undone_by text collate "C" references duly.financial_transactions,
    primary key (award_id, part)
);

comment on table duly.reduction_parts is
    'A part of a reduction: refunded through a request, or credited where there is none. `credit_id` books the reward''s
expense, `share_id` the merchant''s invoice; `undone_by` is the invoice that took it back.';
