-- A report that is written by a calendar: its definition as it was when it was set, so that a release changes no report of a month.
create table duly.report_schedules (
    id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    definition jsonb not null,
    format text not null check (format in ('csv', 'json', 'xlsx', 'html', 'pdf')),
    calendar jsonb not null,
    recipients text[] not null default '{}' check (cardinality(recipients) <= 20),
    actor text not null check (actor <> ''),
    reason text not null default '',
    set_at timestamptz not null default clock_timestamp()
);

create trigger keep_change after insert or update or delete on duly.report_schedules
    for each row execute function duly.keep_configuration_change('report_schedules', 'id');

comment on table duly.report_schedules is
    'Which report is written when, as which file, and to whom it is mailed; without recipients it is kept to be fetched.';

-- What was written for a period: a file, or why there is none. It stays when its schedule is removed.
create table duly.report_deliveries (
    schedule_id text collate "C" not null,
    period text collate "C" not null,
    title text not null,
    file_name text not null default '',
    media_type text not null default '',
    content bytea,
    sha256 text not null default '',
    row_count bigint not null default 0 check (row_count >= 0),
    ties boolean not null default true,
    problem text not null default '',
    tries integer not null default 1 check (tries >= 1),
    recipients text[] not null default '{}',
    made_at timestamptz not null default clock_timestamp(),
    primary key (schedule_id, period),
    constraint file_or_problem check ((content is null) = (problem <> ''))
);

comment on table duly.report_deliveries is
    'The file of a report for a period, written once; one that could not be written may be tried again.';
