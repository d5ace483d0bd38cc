alter table duly.debits add column brought_by text collate "C" references duly.debit_lines;
alter table duly.debits add column taken_back_by text collate "C" references duly.debit_lines;

comment on column duly.debits.brought_by is 'The line of a statement that brought its money, for itself or with a file.';
comment on column duly.debits.taken_back_by is 'The line by which the bank took its money back.';

-- A line names a debit, the part of a file that it stands in, or the file.
update duly.debits d set brought_by = l.key from duly.debit_lines l
where l.amount_minor > 0 and l.reference in (d.id, d.payment_information, d.batch_id) and d.state in ('collected', 'returned');
update duly.debits d set taken_back_by = l.key from duly.debit_lines l
where l.amount_minor < 0 and l.reference in (d.id, d.payment_information, d.batch_id) and d.state = 'returned';

create index debits_brought_by on duly.debits (brought_by) where brought_by is not null;
create index debits_taken_back_by on duly.debits (taken_back_by) where taken_back_by is not null;
