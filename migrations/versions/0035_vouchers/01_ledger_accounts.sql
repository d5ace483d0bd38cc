-- What is owed for vouchers is one line of the chart of accounts. Invoices, credit notes and payments reach it through a clearing
-- account, which is zero after every commit.

-- Names that a check knows are added to whatever it knew before. What is stored already keeps every older rule.
do $$
declare
    v_expression text;
begin
    select pg_get_expr(conbin, 0) into strict v_expression from pg_constraint
    where conname = 'ledger_account_kind' and contypid = 'duly.ledger_account'::regtype;
    alter domain duly.ledger_account drop constraint ledger_account_kind;
    execute format('alter domain duly.ledger_account add constraint ledger_account_kind check ((%s)
        or value in (''vouchers'', ''voucher_clearing'')) not valid', v_expression);
end $$;

insert into duly.ledger_account_kinds (kind, nature, description) values
    ('vouchers', 'liability', 'Vouchers that are out: sold or given, and not redeemed, expired or cancelled'),
    ('voucher_clearing', 'liability', 'Between vouchers and what customers owe; zero after every commit');

-- Vouchers are invoiced by a product that goes to clearing, and redeemed by a method that does.
alter table duly.products drop constraint products_ledger_account_check;
alter table duly.products add constraint products_ledger_account_check
    check (split_part(ledger_account, ':', 1) in ('revenue', 'reward_expense', 'write_off')
        or ledger_account in ('wallet_clearing', 'voucher_clearing')) not valid;

alter table duly.payment_methods drop constraint payment_methods_ledger_account_check;
alter table duly.payment_methods add constraint payment_methods_ledger_account_check
    check (split_part(ledger_account, ':', 1) in ('bank', 'cash', 'other_methods')
        or ledger_account in ('wallet_clearing', 'voucher_clearing')) not valid;
