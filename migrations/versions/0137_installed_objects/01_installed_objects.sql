-- What migrate has installed: each function, view and trigger by name, with a hash of what it says, and the server's major version then.
alter table duly.installation add column objects jsonb not null default '{}', add column objects_of_server integer not null default 0;
