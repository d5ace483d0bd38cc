-- What is never charged, since when, in whose name and why, and until when.
create table duly.charge_blocks (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('account', 'card', 'email', 'domain')),
    value text collate "C" not null check (length(value) between 1 and 254),
    blocked_at timestamptz not null default clock_timestamp(),
    blocked_by text not null,
    blocked_because text not null,
    ends_at timestamptz,
    lifted_at timestamptz,
    lifted_by text not null default '',
    lifted_because text not null default ''
);

create unique index one_block on duly.charge_blocks (kind, value) where lifted_at is null;

comment on table duly.charge_blocks is
    'The block list. A card is named by its fingerprint, never by its number; an e-mail address and its domain in lower case.';
