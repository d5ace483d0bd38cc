-- What happens: process runs and their members, gateway requests and attempts, collections.

create table duly.process_runs (
    id text collate "C" primary key,
    definition_id text collate "C" not null references duly.run_definitions,
    kind text not null check (kind in ('billing', 'payment', 'shadow')),
    period text collate "C" not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    state text not null default 'running' check (state in ('running', 'completed')),
    members integer not null default 0,
    certificate jsonb,
    decisions text[] not null default '{}',
    is_aborted boolean not null default false,
    execution text collate "C" not null default '',
    baseline_id text collate "C" references duly.process_runs,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    check ((state = 'completed') = (completed_at is not null and certificate is not null))
);

create unique index one_run_a_period on duly.process_runs (definition_id, period) where kind <> 'shadow';

comment on table duly.process_runs is
    'One execution of a definition for a period (X19). The pair is unique: no second run, but any number of shadows.';

create table duly.run_items (
    run_id text collate "C" not null references duly.process_runs,
    member_id text collate "C" not null,
    account_id text collate "C" not null,
    shard smallint not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    card_id text collate "C",
    card_label text not null default '',
    invoices text[] not null default '{}',
    outcome text check (outcome in ('billed', 'charged', 'in_dunning', 'unknown', 'skipped', 'parked', 'released')),
    reason text not null default '',
    settled_minor bigint not null default 0,
    transaction_id text collate "C",
    finished_at timestamptz,
    primary key (run_id, member_id)
) with (fillfactor = 80);

create index run_items_to_do on duly.run_items (run_id, shard, member_id)
    where outcome is null or outcome in ('in_dunning', 'unknown');

create index run_items_of_account on duly.run_items (account_id, run_id);

comment on table duly.run_items is 'The frozen members of a run, and what became of each.';

create sequence duly.gateway_request_numbers;

create table duly.gateway_requests (
    id text collate "C" primary key default 'req_' || nextval('duly.gateway_request_numbers'),
    kind text not null check (kind in ('payment', 'payment_cancellation', 'refund', 'card_validation')),
    provider_id text collate "C" not null references duly.providers,
    account_id text collate "C" not null references duly.accounts,
    period text collate "C" not null default '',
    run_id text collate "C" references duly.process_runs,
    transaction_id text collate "C",
    card_id text collate "C" references duly.cards,
    invoices text[] not null default '{}',
    of_request_id text collate "C" references duly.gateway_requests,
    asked_by text not null default '',
    asked_because text not null default '',
    decisions text[] not null default '{}',
    amount_minor bigint not null check (amount_minor >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    state text not null default 'under_processing'
        check (state in ('pending', 'under_processing', 'unknown', 'posted', 'rejected', 'reversed')),
    gateway_reference text collate "C",
    error_code text not null default '',
    error_description text not null default '',
    created_at timestamptz not null default now(),
    executed_at timestamptz,
    check ((state in ('posted', 'rejected', 'reversed')) = (executed_at is not null)),
    check ((kind in ('refund', 'payment_cancellation')) = (of_request_id is not null)),
    check (state <> 'reversed' or of_request_id is not null),
    check ((kind = 'card_validation') = (amount_minor = 0)),
    check (kind <> 'card_validation' or card_id is not null)
) with (fillfactor = 80);

create unique index one_validation_a_card on duly.gateway_requests (card_id) where kind = 'card_validation';

create unique index one_request_a_receivable on duly.gateway_requests (account_id, period) where kind = 'payment';

create unique index one_cancellation_a_payment on duly.gateway_requests (of_request_id)
    where kind = 'payment_cancellation' and state not in ('rejected', 'reversed');

create index returns_of_request on duly.gateway_requests (of_request_id) where of_request_id is not null;

create index requests_of_account on duly.gateway_requests (account_id);

create index open_requests on duly.gateway_requests (account_id) where state in ('pending', 'under_processing', 'unknown');

create index requests_of_run on duly.gateway_requests (run_id) where run_id is not null;

create unique index one_request_a_reference on duly.gateway_requests (provider_id, gateway_reference)
    where gateway_reference is not null;

comment on table duly.gateway_requests is
    'One request to a gateway (X31 to X42). One payment request per receivable, whatever the channel.';

comment on column duly.gateway_requests.of_request_id is 'The payment request whose money a refund or cancellation gives back.';

comment on column duly.gateway_requests.state is 'reversed: it was posted, and then its money came back.';

create table duly.gateway_attempts (
    request_id text collate "C" not null references duly.gateway_requests,
    attempt smallint not null check (attempt >= 1),
    idempotency_key text collate "C" not null unique,
    cause text not null check (cause in ('scheduled', 'card_changed', 'manual', 'customer')),
    channel text not null default 'off_session' check (channel in ('off_session', 'hosted_page', 'refund')),
    card_id text collate "C" references duly.cards,
    token text collate "C" not null,
    customer text collate "C" not null,
    payment_id text collate "C" not null,
    amount_minor bigint not null check (amount_minor >= 0),
    outcome text check (outcome in ('succeeded', 'declined', 'did_not_happen', 'invalid_request', 'processing', 'unknown')),
    gateway_reference text collate "C",
    charge_reference text collate "C",
    code text not null default '',
    decline_code text not null default '',
    advice_code text not null default '',
    network_decline_code text not null default '',
    resolved_by text not null default '',
    resolution text not null default '',
    started_at timestamptz not null default now(),
    sent_at timestamptz not null default now(),
    finished_at timestamptz,
    primary key (request_id, attempt),
    check ((channel = 'off_session') = (card_id is not null)),
    -- A card may be validated again and again; what moves money succeeds once.
    check ((amount_minor = 0) = (payment_id = ''))
) with (fillfactor = 80);

create unique index one_attempt_in_flight on duly.gateway_attempts (request_id)
    where outcome is null or outcome in ('processing', 'unknown');

create unique index one_success on duly.gateway_attempts (request_id) where outcome = 'succeeded' and amount_minor > 0;

create index declines_of_card on duly.gateway_attempts (card_id, sent_at) where outcome = 'declined';

create index attempts_by_charge on duly.gateway_attempts (charge_reference) where charge_reference is not null;

comment on table duly.gateway_attempts is
    'One attempt of a request. The key and every parameter are fixed before the first call and repeated unchanged.';

create table duly.collections (
    account_id text collate "C" not null references duly.accounts,
    period text collate "C" not null,
    provider_id text collate "C" not null references duly.providers,
    run_id text collate "C" references duly.process_runs,
    owner text collate "C" not null,
    policy_id text collate "C" not null,
    policy_version integer not null,
    policy_segment text not null default '',
    currency text not null,
    amount_minor bigint not null,
    invoices text[] not null,
    stage text not null default 'collecting' check (stage in ('collecting', 'settled', 'given_up')),
    reason text not null default '',
    link_token text collate "C" not null unique
        default replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
    action text not null default 'nothing' check (action in ('nothing', 'suspend', 'write_off', 'hand_over')),
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    primary key (account_id, period),
    check ((stage = 'collecting') = (closed_at is null))
);

create index open_collections on duly.collections (account_id) where closed_at is null;

comment on table duly.collections is 'The one owner of a receivable that has to wait; the key is the lock, and there is no time-out.';
