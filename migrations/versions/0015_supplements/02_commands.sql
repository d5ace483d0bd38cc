-- What was changed from the command line, who asked for it and why. A subject is ids and dates, never a text or a file.

create table duly.commands (
    id bigint generated always as identity primary key,
    name text not null,
    subject text not null default '',
    actor text not null,
    reason text not null default '',
    outcome text not null default 'begun' check (outcome in ('begun', 'done', 'refused', 'failed')),
    given_at timestamptz not null default now(),
    ended_at timestamptz
);

create index commands_by_time on duly.commands (given_at);

comment on table duly.commands is 'Commands that changed something, or were to: the row stands before the work begins.';
