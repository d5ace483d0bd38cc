-- Who has changed what: edits of drafts, and states of accounts. Written in the commit of the change, by triggers
-- and functions of the owner: the runtime role can neither write nor change a row.

create table duly.audit_trail (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('transaction', 'account')),
    subject text collate "C" not null check (subject <> ''),
    action text not null check (action in ('created', 'edited', 'posted', 'rejected', 'deleted')),
    -- Who said that he does it, and the database's user, which nobody can say.
    actor text not null,
    reason text not null,
    made_by name not null default session_user,
    changes jsonb not null,
    made_at timestamptz not null default clock_timestamp()
);

-- What is configured has its history in a table of its own (0024); it names the database's user too.
alter table duly.definition_changes add column made_by name;
alter table duly.definition_changes alter column made_by set default session_user;

create index audit_trail_by_subject on duly.audit_trail (subject, id);

comment on table duly.audit_trail is
    'Each edit of a draft and each state of an account: by whom, why, and what it was before.';

create trigger append_only before update or delete on duly.audit_trail
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.audit_trail
    for each statement execute function duly.refuse_change();

-- Who posted a draft; of what was posted when it was created, that is its actor.
alter table duly.financial_transactions add column posted_by text;

create function duly.keep_account_state() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
begin
    insert into duly.audit_trail (kind, subject, action, actor, reason, changes)
    values ('account', new.id, 'edited', coalesce(nullif(current_setting('duly.actor', true), ''), session_user),
        coalesce(current_setting('duly.reason', true), ''),
        jsonb_build_object('state', jsonb_build_object('was', old.state, 'is', new.state)));
    return null;
end $$;

create trigger keep_state after update of state on duly.accounts
    for each row when (old.state is distinct from new.state) execute function duly.keep_account_state();
