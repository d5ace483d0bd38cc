-- A subscription that was made or changed by a command is billed by day (models/subscriptions); all others as release 0.1.0
-- does it: whole months from the billing day on, by what its row says at the run.

alter table duly.subscriptions
    add column term_months smallint not null default 1 check (term_months in (1, 3, 12)),
    add column by_day_from date,
    add column billed_until date,
    add column version integer not null default 0 check (version >= 0),
    add column billed_version integer not null default 0 check (billed_version between 0 and version),
    add column billings integer not null default 0 check (billings >= 0),
    add constraint by_day_since_a_change check ((by_day_from is null) = (version = 0));

comment on column duly.subscriptions.price_minor is 'For one piece and one billing period, before tax.';
comment on column duly.subscriptions.by_day_from is 'From this day on each day is billed once, by the changes. Null: whole months.';
comment on column duly.subscriptions.billed_until is 'The first day that is not billed yet, where it is billed by day.';
comment on column duly.subscriptions.billed_version is 'The days that are billed are billed as the changes up to this one have it.';
comment on column duly.subscriptions.billings is 'How often it was billed: who worked out a bill before another one works it out again.';

create table duly.subscription_changes (
    subscription_id text collate "C" not null references duly.subscriptions,
    version integer not null check (version > 0),
    kind text not null check (kind in ('started', 'created', 'changed', 'imported', 'paused', 'resumed', 'ended')),
    from_on date not null,
    product_id text collate "C" references duly.products,
    price_minor bigint check (price_minor > 0),
    quantity integer check (quantity between 1 and 1000000),
    term_months smallint check (term_months in (1, 3, 12)),
    billing_day smallint check (billing_day between 1 and 31),
    anchor_on date,
    is_paused boolean,
    trial_ends_on date,
    ends_on date,
    discount_percent numeric(7, 4) check (discount_percent between 0 and 100),
    discount_minor bigint check (discount_minor >= 0),
    discount_until date,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    changed_at timestamptz not null default clock_timestamp(),
    primary key (subscription_id, version)
);

comment on table duly.subscription_changes is
    'What holds of a subscription from a day on, who said so and why. What is null stays as it was before.';

create table duly.account_changes (
    id bigint generated always as identity primary key,
    account_id text collate "C" not null references duly.accounts,
    changes jsonb not null,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    changed_at timestamptz not null default clock_timestamp()
);

create index changes_of_account on duly.account_changes (account_id, id);

comment on table duly.account_changes is 'What was changed of an account by a command: by field, before and after.';

-- A member of a billing run may have an invoice for some days and a credit note for others.
alter table duly.run_items add column credit_note_id text collate "C";

create trigger append_only before update or delete on duly.subscription_changes
    for each row execute function duly.refuse_change();

create trigger append_only before update or delete on duly.account_changes
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.subscription_changes
    for each statement execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.account_changes
    for each statement execute function duly.refuse_change();

-- The import of release 0.1.0 writes rows by itself: what it would change of a subscription that is billed by day has no day
-- from which it holds. The body stands in functions/subscriptions/changes.sql too.
create function duly.refuse_undated_change() returns trigger language plpgsql as $$
begin
    if old.by_day_from is not null
        and current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception using errcode = 'DU001', constraint = 'subscription_changed_by_command',
            message = format('subscription %s is billed by day: change it with `subscriptions change`', old.id);
    end if;
    return new;
end $$;

create trigger dated_changes before update on duly.subscriptions
    for each row execute function duly.refuse_undated_change();
