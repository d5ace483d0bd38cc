-- How many days after its collection a debit is settled at the latest, and when operators were told of one that is not.
alter table duly.creditors add column answer_days smallint not null default 5 check (answer_days between 1 and 60);
alter table duly.debits add column alerted_at timestamptz;
create index debits_to_settle on duly.debits (provider_id, collect_on) where state in ('pending', 'exported') and alerted_at is null;
