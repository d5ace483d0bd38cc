-- A posting that is tried out is checked as at its commit, by all constraints but this one: it is never kept.

create function duly.guard_kept_number() returns trigger language plpgsql as 'begin return null; end';

create constraint trigger guard_kept_number after insert or update on duly.transaction_numbers
    deferrable initially deferred for each row when (new.number like 'TRIED-%') execute function duly.guard_kept_number();
