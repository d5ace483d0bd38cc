-- How a session began, so that its end says the same.

alter table duly.console_sessions add column method text not null default 'password' check (method in ('password', 'oidc'));
