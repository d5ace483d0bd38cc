-- Top-ups that are invoiced and not settled: nothing but the documents of top-ups moves them.

create function duly.guard_wallet_top_ups() returns trigger language plpgsql as 'begin return null; end';

create constraint trigger guard_wallet_top_ups after insert on duly.transfers
    deferrable initially deferred for each row
    when (new.debit_account = 'wallet_top_ups' or new.credit_account = 'wallet_top_ups')
    execute function duly.guard_wallet_top_ups();
