-- Each execution of a run asks what its members come to: counted once, when they are fixed. Runs that were frozen before have none
-- and are counted as before.

alter table duly.process_runs add column plan jsonb;

comment on column duly.process_runs.plan is 'Shards, members, those passed over and the amounts due, as they were when the members were fixed.';
