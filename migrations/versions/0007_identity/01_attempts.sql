-- What an attempt is about and which one of it (functions/gateway/identity.sql). Attempts of 0.1.0 have neither: their keys
-- stay what they were sent under, and their own number counts.

alter table duly.gateway_attempts
    add column subject text collate "C",
    add column number integer check (number >= 1),
    add constraint number_of_a_subject check ((subject is null) = (number is null));

create unique index one_number_a_subject on duly.gateway_attempts (subject, number) where subject is not null;

comment on column duly.gateway_attempts.number is 'Counts the attempts of the subject over every request and channel.';
