-- The run of the workflow whose try it was: that run's repeats answer with it, and mail nobody twice.
alter table duly.report_deliveries add column written_by text not null default '';
