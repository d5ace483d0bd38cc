-- Cards: registered under the provider's rules, validated by the gateway, looked after for years (G7 to G13, X1 to X15).

create table duly.card_rules (
    is_only boolean primary key default true check (is_only),
    warn_days integer[] not null default '{30,7}',
    stale_days integer not null default 365 check (stale_days between 1 and 3650),
    action_days integer not null default 7 check (action_days between 1 and 90),
    reminder_days integer not null default 2 check (reminder_days between 1 and 89)
);

insert into duly.card_rules default values;

comment on table duly.card_rules is
    'One row. When a card''s holder is warned, how long they have for a page, and when a card is validated again.';

create index cards_by_mandate on duly.cards (mandate_reference) where mandate_reference <> '';
