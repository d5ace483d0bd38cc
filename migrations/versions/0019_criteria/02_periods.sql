-- A run's period is a month, a week from Monday on, or a day (X21). What is collected goes on being named by a month.
alter table duly.process_runs drop constraint process_runs_period_check;
alter table duly.process_runs add constraint period_is_named check (
    period ~ '^[0-9]{4}-((0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?|W(0[1-9]|[1-4][0-9]|5[0-3]))$') not valid;
alter table duly.process_runs validate constraint period_is_named;
