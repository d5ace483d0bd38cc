-- Which user of the console looks after a collection. It changes nothing of what its workflow does.
create table duly.collection_assignees (
    account_id text collate "C" not null,
    period text collate "C" not null,
    user_id text collate "C" not null references duly.users,
    assigned_by text not null,
    assigned_at timestamptz not null default clock_timestamp(),
    primary key (account_id, period),
    foreign key (account_id, period) references duly.collections
);
create index collections_of_user on duly.collection_assignees (user_id);

comment on table duly.collection_assignees is 'Who looks after a collection; no row: nobody. Who was before, and why, is in duly.commands.';
