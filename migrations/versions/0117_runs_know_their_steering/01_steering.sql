-- What operators want of a run that is under way; the database begins no attempt of one that is paused or aborted.
alter table duly.process_runs add column steering text not null default ''
    constraint known_steering check (steering in ('', 'paused', 'aborted'));
