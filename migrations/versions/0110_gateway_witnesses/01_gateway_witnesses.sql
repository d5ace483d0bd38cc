-- Which customer at the gateway stands for this installation, of each provider: another account does not have it.
create table duly.gateway_witnesses (
    provider_id text collate "C" primary key,
    reference text not null check (reference <> ''),
    noted_at timestamptz not null default clock_timestamp()
);

comment on table duly.gateway_witnesses is
    'The customer that stands for this installation at each provider. A key under which it is unknown is a key of another account.';
