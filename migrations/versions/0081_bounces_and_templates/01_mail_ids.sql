-- What the Message-ID of a message begins with, from the moment of its first claim: a report about its delivery names nothing else of ours.
alter table duly.messages add column mail_id text collate "C" check (mail_id ~ '^[0-9a-f]{32}$');

-- Of what is not sent yet, or was sent by an older release, there is none.
create unique index messages_by_mail_id on duly.messages (mail_id) where mail_id is not null;
