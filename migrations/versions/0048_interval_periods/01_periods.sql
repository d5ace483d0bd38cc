-- A run's period may also be a time in UTC at which so many minutes begin (X21).
alter table duly.process_runs drop constraint period_is_named;
alter table duly.process_runs add constraint period_is_named check (
    period ~ '^[0-9]{4}-((0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]Z)?)?|W(0[1-9]|[1-4][0-9]|5[0-3]))$') not valid;
alter table duly.process_runs validate constraint period_is_named;
