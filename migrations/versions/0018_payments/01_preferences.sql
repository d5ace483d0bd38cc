-- What a payment preference is known by to people (F90): shown as PP-<number>.

alter table duly.payment_preferences add column number bigint not null generated always as identity;

create unique index preferences_by_number on duly.payment_preferences (number);

comment on column duly.payment_preferences.number is 'What people know it by: PP-<number> (F90, F93).';
