-- What a bank may take with a debit that it takes back: more than so much above it is not booked, and a person looks at it.
alter table duly.creditors add column charges_limit text not null default '50.00'
    check (charges_limit ~ '^[0-9]{1,7}([.][0-9]{1,2})?$');

-- They say now on which day.
drop function if exists duly.is_mandate_expired(duly.mandates);
drop function if exists duly.may_be_debited(duly.mandates);
