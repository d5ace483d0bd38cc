-- What a person posts passes the gate in the commit that posts it, whichever process asks for it. The function is made anew by every migrate.
create function duly.guard_giving() returns trigger language plpgsql as $$ begin return null; end $$;

create trigger giving_is_within_limits after insert on duly.financial_transactions
    for each row when (new.state = 'posted' and new.origin = 'user') execute function duly.guard_giving();
create trigger giving_of_drafts_is_within_limits after update of state on duly.financial_transactions
    for each row when (old.state = 'draft' and new.state = 'posted' and new.provider is null) execute function duly.guard_giving();
