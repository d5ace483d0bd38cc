-- The days that are closed, who may post outside the open ones, and each time that somebody did.

-- The newest row counts: nothing is posted on `closed_until` or before; null when no day is closed.
create table duly.closings (
    id bigint generated always as identity primary key,
    closed_until date,
    is_reopening boolean not null,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    made_by name not null default session_user,
    made_at timestamptz not null default clock_timestamp()
);

comment on table duly.closings is
    'Each time that a period was closed, or opened again, by whom and why. The newest row says up to which day nothing is posted.';

-- Who may post on a day that is closed or has not come yet; the newest row of each counts.
create table duly.any_day_rights (
    id bigint generated always as identity primary key,
    holder text collate "C" not null check (length(holder) between 1 and 200),
    is_granted boolean not null,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    made_by name not null default session_user,
    made_at timestamptz not null default clock_timestamp()
);

create index any_day_rights_of_holder on duly.any_day_rights (holder, id);

comment on table duly.any_day_rights is 'Who was given the right to post outside the open days, or lost it, by whom and why.';

-- A posting outside the open days, made by who has the right to it, in the same commit: `posted_xid` is that of the transactions.
create table duly.any_day_postings (
    id bigint generated always as identity primary key,
    posted_xid xid8 not null,
    actor text not null check (actor <> ''),
    reason text not null check (reason <> ''),
    made_by name not null default session_user,
    made_at timestamptz not null default clock_timestamp()
);

create index any_day_postings_by_xid on duly.any_day_postings (posted_xid);

comment on table duly.any_day_postings is 'Who has posted on a day that was closed or had not come yet, and why.';

do $$
declare
    t text;
begin
    foreach t in array array['closings', 'any_day_rights', 'any_day_postings'] loop
        execute format('create trigger append_only before update or delete on duly.%I
            for each row execute function duly.refuse_change()', t);
        execute format('create trigger no_truncate before truncate on duly.%I
            for each statement execute function duly.refuse_change()', t);
    end loop;
end $$;

alter table duly.financial_transactions add column issued_at timestamptz;

comment on column duly.financial_transactions.issued_at is
    'When the document was issued, with its time; null when only the day is known.';

alter table duly.gateway_bookings add column moved_on date;

comment on column duly.gateway_bookings.moved_on is
    'The day on which the money moved, when that was closed and the booking went to the first open day.';

-- A document as the functions take it, with its moment of issue. A type of its own: calls that are under way keep theirs.
create type duly.ledger_document as (
    -- As asked for.
    ord bigint, hash bytea, key text, account_id text, currency text, type_id text, category text, issued_on date,
    posted_on date, due_on date, issue_reason text, back_office_code text, invoices text[], origin text, actor text,
    lines jsonb,
    -- As looked up: its id, what posting does to the account, and why it is refused, if it is.
    id text, total_minor bigint, posted_at timestamptz, account_version bigint, balance_after_minor bigint,
    meets_credit boolean, refusal_kind text, rule text, arguments jsonb,
    issued_at timestamptz
);
