-- What is mailed when something is posted, in its commit: replaced by its file with every migrate.
create function duly.write_posting_message() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$ begin return null; end $$;

create trigger posting_messages_of_new after insert on duly.financial_transactions
    for each row when (new.posted_at is not null and new.classification in ('invoice', 'payment'))
    execute function duly.write_posting_message();

create trigger posting_messages_of_drafts after update of posted_at on duly.financial_transactions
    for each row when (old.posted_at is null and new.posted_at is not null and new.classification in ('invoice', 'payment'))
    execute function duly.write_posting_message();
