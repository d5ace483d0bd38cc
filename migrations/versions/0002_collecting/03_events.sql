-- Events: stored once each, then delivered as hints until somebody has taken them.

create table duly.gateway_events (
    id text collate "C" primary key check (id ~ '^evt_'),
    provider_id text collate "C" not null,
    type text collate "C" not null,
    subject text not null default '' check (subject in ('', 'payment', 'card', 'refund', 'dispute')),
    object_id text collate "C" not null default '',
    request_id text collate "C" not null default '',
    account_id text collate "C" not null default '',
    mentions text[] not null default '{}',
    channel text not null default 'webhook' check (channel in ('webhook', 'sweep')),
    state text not null check (state in ('waiting', 'delivered', 'ignored', 'needs_review')),
    reason text not null default '',
    tries integer not null default 0,
    created_at timestamptz not null,
    received_at timestamptz not null default now(),
    next_try_at timestamptz not null default now(),
    delivered_at timestamptz,
    decisions text[] not null default '{}',
    check ((state = 'delivered') = (delivered_at is not null)),
    check ((state = 'ignored') = (subject = ''))
);

create index events_to_deliver on duly.gateway_events (provider_id, next_try_at) where state = 'waiting';

create index events_in_review on duly.gateway_events (id) where state = 'needs_review';

comment on table duly.gateway_events is
    'Verified events, stored once each before anything is done about them. Ids only: what happened is read at the gateway.';

comment on column duly.gateway_events.mentions is 'The gateway''s ids that the event names: what it is about may be found by one.';

create table duly.event_marks (
    provider_id text collate "C" primary key,
    swept_until timestamptz not null
);

comment on table duly.event_marks is 'Up to when a provider''s own list of events has been looked through for lost ones.';
