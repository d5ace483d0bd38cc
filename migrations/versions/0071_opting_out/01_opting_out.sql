-- Which communications the law or a contract requires: they go to whoever has opted out, too, and offer no way to.
alter table duly.message_templates add column is_required boolean not null default false;
alter table duly.communications add column is_required boolean not null default false;

-- Links of sent letters by which their reader opts out. What a link ends in is random and known to its letter alone: its hash is kept.
create table duly.opt_out_links (
    token_hash text collate "C" primary key check (token_hash ~ '^[0-9a-f]{64}$'),
    account_id text collate "C" not null references duly.accounts,
    message_id text collate "C" not null check (message_id <> ''),
    -- Whose letter it was: who reads another address by now may opt out, and not back in.
    address_hash text not null,
    made_at timestamptz not null default clock_timestamp()
);

create index opt_out_links_of_account on duly.opt_out_links (account_id, made_at);

comment on table duly.opt_out_links is 'Links by which a customer opts out of communications: one for each letter that is sent.';
