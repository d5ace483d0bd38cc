-- Files of a payment request, which its payers see behind their links (P17): few, small, and typed by what is in them.
create table duly.request_attachments (
    id bigint generated always as identity primary key,
    request_id text collate "C" not null references duly.payment_requests,
    place integer not null check (place between 1 and 5),
    name text not null check (length(name) between 1 and 120),
    media_type text not null check (media_type in ('application/pdf', 'image/png', 'image/jpeg')),
    content bytea not null check (octet_length(content) between 1 and 5242880),
    hash bytea not null generated always as (sha256(content)) stored,
    actor text not null check (actor <> ''),
    at timestamptz not null default clock_timestamp(),
    unique (request_id, place),
    unique (request_id, hash)
);

comment on table duly.request_attachments is
    'Files that whoever asks for a payment shows to its payers. One that is there never changes.';

create trigger no_update before update on duly.request_attachments
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.request_attachments
    for each statement execute function duly.refuse_change();
