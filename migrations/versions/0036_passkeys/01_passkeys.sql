-- By what a user's devices know them: it says nothing of who they are.
alter table duly.users add column handle bytea not null unique default uuid_send(gen_random_uuid());

create table duly.passkeys (
    id text collate "C" primary key default 'psk_' || replace(gen_random_uuid()::text, '-', '') check (id ~ '^psk_[0-9a-f]{32}$'),
    user_id text collate "C" not null references duly.users,
    name text not null check (length(name) between 1 and 60),
    credential_id bytea not null unique check (length(credential_id) between 1 and 1023),
    public_key bytea not null,
    sign_count bigint not null check (sign_count >= 0),
    is_synced boolean not null,
    created_at timestamptz not null default clock_timestamp(),
    used_at timestamptz,
    removed_at timestamptz,
    removed_by text not null default '',
    check ((removed_at is null) = (removed_by = ''))
);
create index passkeys_of_user on duly.passkeys (user_id) where removed_at is null;

comment on table duly.passkeys is
    'Public keys of users'' devices. One that is removed stays, with who removed it, and lets nobody in.';

-- What a device is asked to sign: once, within minutes. session_hash: whose session registers; null is a sign-in.
create table duly.passkey_challenges (
    challenge bytea primary key check (length(challenge) between 32 and 64),
    session_hash bytea references duly.console_sessions on delete cascade,
    begun_at timestamptz not null default clock_timestamp()
);
create index passkey_challenges_by_age on duly.passkey_challenges (begun_at);
create index passkey_challenges_of_session on duly.passkey_challenges (session_hash);

alter table duly.console_sessions drop constraint console_sessions_method_check;
alter table duly.console_sessions add constraint console_sessions_method_check check (method in ('password', 'oidc', 'passkey'));
alter table duly.sign_ins drop constraint sign_ins_method_check;
alter table duly.sign_ins add constraint sign_ins_method_check check (method in ('password', 'oidc', 'passkey'));
