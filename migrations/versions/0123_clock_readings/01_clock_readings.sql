-- What a provider's workers have seen of the clocks last.
create table duly.clock_readings (
    provider_id text collate "C" primary key references duly.providers,
    apart_seconds integer not null check (apart_seconds >= 0),
    database_seconds integer not null,
    culprit text not null default '',
    reason text not null default '',
    noted_at timestamptz not null default clock_timestamp()
);

comment on table duly.clock_readings is
    'How far apart a provider''s workers have last seen the clocks. `apart_seconds`: the worst pair of gateway, database and worker;
`database_seconds`: how far the database is ahead of the gateway for certain; `culprit`: the one that two others disagree with.';
