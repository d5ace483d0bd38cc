-- What the gateway says has moved: its balance transactions, each stored once, and what became of each in the ledger.

create table duly.gateway_movements (
    provider_id text collate "C" not null,
    id text collate "C" not null,
    type text not null,
    category text not null,
    kind text not null default '',
    pocket text not null default 'payments',
    source text collate "C" not null default '',
    amount_minor bigint not null,
    fee_minor bigint not null,
    net_minor bigint not null,
    currency text collate "C" not null,
    exchange_rate text not null default '',
    created_at timestamptz not null,
    available_on timestamptz,
    payout text collate "C" not null default '',
    state text not null default 'open' check (state in ('open', 'matched', 'explained')),
    explanation text not null default '',
    stored_at timestamptz not null default now(),
    primary key (id, provider_id),
    check (net_minor = amount_minor - fee_minor),
    check ((state = 'explained') = (explanation <> ''))
);

-- A provider is named by value: a key to its row would lock that row for every movement.
comment on table duly.gateway_movements is
    'The gateway''s balance transactions. `kind` is what the movement is of its source: charge, refund, dispute and so on.';

comment on column duly.gateway_movements.exchange_rate is 'As the gateway wrote it; nothing is computed with it.';

create index open_movements on duly.gateway_movements (provider_id, id) where state = 'open';

create index explained_movements on duly.gateway_movements (provider_id, currency) where state = 'explained';

create index movements_by_source on duly.gateway_movements (source, kind);

create index movements_by_time on duly.gateway_movements (created_at);

create trigger append_only before delete on duly.gateway_movements
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.gateway_movements
    for each statement execute function duly.refuse_change();

create trigger movement_is_fixed before update on duly.gateway_movements for each row
    when ((old.provider_id, old.id, old.type, old.category, old.kind, old.source, old.amount_minor, old.fee_minor,
        old.net_minor, old.currency, old.created_at) is distinct from (new.provider_id, new.id, new.type, new.category,
        new.kind, new.source, new.amount_minor, new.fee_minor, new.net_minor, new.currency, new.created_at))
    execute function duly.refuse_change();

create index bookings_by_reference on duly.gateway_bookings (gateway_reference);
