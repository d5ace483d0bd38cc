-- Who may use the console, as what, and how that was seen: sign-ins are kept for good, a session by the hash of its token alone.

create table duly.users (
    id text collate "C" primary key check (id ~ '^[a-z][a-z0-9._@+-]{0,99}$'),
    role text not null check (role in ('viewer', 'agent', 'accountant', 'operator', 'administrator')),
    password_hash text not null default '',
    state text not null default 'active' check (state in ('active', 'disabled')),
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp()
);

comment on table duly.users is
    'People who use the console. An empty password_hash: nobody signs in by a password as this user, only by the provider of identities.';

create table duly.console_sessions (
    token_hash bytea primary key check (length(token_hash) = 32),
    user_id text collate "C" not null references duly.users,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);

create index sessions_of_user on duly.console_sessions (user_id) where ended_at is null;

create table duly.sign_ins (
    id bigint generated always as identity primary key,
    user_id text not null,
    method text not null check (method in ('password', 'oidc')),
    outcome text not null check (outcome in ('signed_in', 'wrong', 'disabled', 'unknown_user', 'limited', 'signed_out')),
    address text not null default '',
    tried_at timestamptz not null default clock_timestamp()
);

comment on table duly.sign_ins is
    'Each attempt to sign in. user_id is what was typed where it names a user, else empty: it may be somebody''s password.';

-- A form that is sent twice is carried out once: its key is written before the work.
create table duly.console_forms (
    key text collate "C" primary key check (length(key) between 16 and 64),
    user_id text collate "C" not null references duly.users,
    action text not null,
    subject text not null,
    outcome text not null default 'begun' check (outcome in ('begun', 'done', 'refused', 'failed')),
    answer text not null default '',
    sent_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz
);
