-- What a rule compared, and when a hold is over by itself: when the time within which too much was charged is.
alter table duly.charge_holds add column figures jsonb not null default '{}', add column ends_at timestamptz;

comment on column duly.charge_holds.ends_at is 'From then on the rules judge it anew; null: it waits for a person alone.';

-- Whether what a rule has counted waits for a person even when its time is over.
alter table duly.charge_rules add column waits_for_person boolean not null default false;

-- How many and how much was charged for a merchant, by rule and a part of its time.
create table duly.charge_counts (
    rule_id text collate "C" not null references duly.charge_rules,
    key text collate "C" not null,
    bucket timestamptz not null,
    charges bigint not null,
    minor bigint not null,
    primary key (rule_id, key, bucket)
) with (fillfactor = 50);

comment on table duly.charge_counts is 'What rules per merchant count, kept from the first charge on that they judge; made anew from the attempts.';

-- Functions are replaced after the revisions.
create function duly.forget_counts() returns trigger language plpgsql as 'begin return null; end';

create trigger forget_counts after update on duly.charge_rules for each row execute function duly.forget_counts();
