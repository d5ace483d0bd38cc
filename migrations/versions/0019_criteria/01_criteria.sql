-- Whom a run definition is about (X16): segment, classification, method, amount, due date. Without any, everybody who owes.
alter table duly.accounts add column classification text;

alter table duly.run_definitions add column criteria jsonb not null default '{}';

comment on column duly.run_definitions.criteria is 'segments, classifications, payment_methods, minimum_minor and maximum_minor by currency, due_within_days.';

alter table duly.process_runs add column criteria jsonb not null default '{}', add column left_out jsonb not null default '[]';

comment on column duly.process_runs.criteria is 'Those of its definition when its members were fixed; due_by is the last due date it takes.';

comment on column duly.process_runs.left_out is 'Whom the criteria left out: accounts and what they owe, by reason and currency.';
