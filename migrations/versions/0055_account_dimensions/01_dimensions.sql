-- What an account was before it was changed, and until when. What it is now stands with the account alone, so that nothing is here of
-- the many that never change, and a report finds what was so at a posting by one hash join.
create table duly.account_dimensions (
    account_id text collate "C" not null,
    dimension text not null check (dimension in ('region', 'segment', 'country')),
    value text,
    valid_from timestamptz not null,
    valid_until timestamptz not null,
    primary key (account_id, dimension, valid_until),
    check (valid_from < valid_until)
);

comment on table duly.account_dimensions is
    'Region, segment and country of the postal address that accounts had: from (included) until (not) the moment of a change.';

-- Replaced by its file with every migrate.
create function duly.keep_account_dimensions() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$ begin return null; end $$;

create trigger dimensions_of_accounts after update of region, segment on duly.accounts
    for each row when (old.region is distinct from new.region or old.segment is distinct from new.segment)
    execute function duly.keep_account_dimensions();

create trigger dimensions_of_addresses after insert or update or delete on duly.postal_addresses
    for each row execute function duly.keep_account_dimensions();
