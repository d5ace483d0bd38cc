-- One action on many objects, under the key of its form: each is carried out alone, and what became of it is kept.
create table duly.mass_actions (
    key text collate "C" primary key check (key ~ '^[0-9a-f]{32}$'),
    user_id text collate "C" not null references duly.users,
    action text not null,
    reason text not null,
    fields jsonb not null,
    begun_at timestamptz not null default clock_timestamp(),
    active_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    stopped_because text not null default ''
);

create table duly.mass_action_items (
    key text collate "C" not null references duly.mass_actions,
    position integer not null check (position > 0),
    subject text collate "C" not null,
    outcome text not null default 'left' check (outcome in ('left', 'done', 'waiting', 'refused', 'failed')),
    answer text not null default '',
    ended_at timestamptz,
    primary key (key, position),
    unique (key, subject),
    check ((outcome = 'left') = (ended_at is null))
);

comment on table duly.mass_actions is
    'What a person did to several objects of a list at once. active_at: when one of them was last ended; who goes on takes it over.';
comment on column duly.mass_action_items.outcome is
    'left: not carried out yet; waiting: for another person; failed: nobody knows whether it was done.';
