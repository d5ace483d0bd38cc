-- The filters of a list, kept under a name: for one person, or shared with all.
create table duly.saved_views (
    id text collate "C" primary key default 'view_' || replace(gen_random_uuid()::text, '-', ''),
    list text collate "C" not null,
    name text not null check (length(name) between 1 and 60),
    filters jsonb not null check (jsonb_typeof(filters) = 'object' and filters <> '{}'),
    is_shared boolean not null,
    saved_by text collate "C" not null references duly.users,
    saved_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp()
);

create unique index one_own_view on duly.saved_views (list, saved_by, lower(name)) where not is_shared;
create unique index one_shared_view on duly.saved_views (list, lower(name)) where is_shared;

comment on table duly.saved_views is
    'Views of the console''s lists: filters by name. Nothing depends on them; who deletes one deletes the row.';
