-- A release that knows nothing of it leaves it null: then absence proves nothing until somebody has looked once.
alter table duly.gateway_attempts add column quiet_since timestamptz;

comment on column duly.gateway_attempts.quiet_since is
    'From when on, by the gateway''s own clock, it was not sent again; null while it is being sent.';
