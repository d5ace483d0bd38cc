-- Monthly recurring revenue, as it was when a month was over (F149 to F151). A month that is computed again and comes to something else
-- gets a new version beside the old one: what somebody has reported stays to be found.

create table duly.mrr_snapshots (
    month date not null check (extract(day from month) = 1),
    version integer not null check (version >= 1),
    actor text not null check (actor <> ''),
    reason text not null default '',
    computed_at timestamptz not null default clock_timestamp(),
    primary key (month, version)
);

comment on table duly.mrr_snapshots is 'The versions of a closed month, by its first day; those after the first are corrections.';

create table duly.mrr_amounts (
    month date not null,
    version integer not null,
    account_id text collate "C" not null references duly.accounts,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    start_minor bigint not null check (start_minor >= 0),
    mrr_minor bigint not null check (mrr_minor >= 0),
    change text not null check (change in ('none', 'new', 'reactivation', 'expansion', 'contraction', 'churn')),
    primary key (month, version, account_id, currency),
    foreign key (month, version) references duly.mrr_snapshots,
    check (greatest(start_minor, mrr_minor) > 0),
    constraint change_is_the_difference check (case change
        when 'none' then start_minor = mrr_minor
        when 'churn' then mrr_minor = 0
        when 'contraction' then 0 < mrr_minor and mrr_minor < start_minor
        when 'expansion' then 0 < start_minor and start_minor < mrr_minor
        else start_minor = 0 end)
);

comment on table duly.mrr_amounts is
    'What an account''s subscriptions bring in a month on its last day and on that of the month before, before tax, in minor units.';

create index mrr_of_account on duly.mrr_amounts (account_id, month);

create trigger append_only before update or delete on duly.mrr_snapshots
    for each row execute function duly.refuse_change();

create trigger append_only before update or delete on duly.mrr_amounts
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.mrr_snapshots
    for each statement execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.mrr_amounts
    for each statement execute function duly.refuse_change();
