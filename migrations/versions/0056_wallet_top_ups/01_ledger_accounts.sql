-- A top-up that a run has asked for is invoiced before its money is there: until then it is owed to no wallet.

-- Names that a check knows are added to whatever it knew before. What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, 0) into strict v_expression from pg_constraint
    where conname = 'ledger_account_kind' and contypid = 'duly.ledger_account'::regtype;
    alter domain duly.ledger_account drop constraint ledger_account_kind;
    execute format('alter domain duly.ledger_account add constraint ledger_account_kind check ((%s)
        or value = ''wallet_top_ups'') not valid', v_expression);
end $$;

insert into duly.ledger_account_kinds (kind, nature, description) values
    ('wallet_top_ups', 'liability', 'Top-ups of wallets that are invoiced and not settled; the sum of those that runs ask for');

alter table duly.products drop constraint products_ledger_account_check;
alter table duly.products add constraint products_ledger_account_check
    check (split_part(ledger_account, ':', 1) in ('revenue', 'reward_expense', 'write_off')
        or ledger_account in ('wallet_clearing', 'voucher_clearing', 'wallet_top_ups')) not valid;
