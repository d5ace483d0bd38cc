-- Who may do what. The runtime role reads, and writes money through the functions named here and no other way. What the
-- ledger is configured with it may add and change, for that is the operator's work; money refers to those rows by value.

do $$ begin
  if not exists (select from pg_roles where rolname = 'duly_app') then
    create role duly_app nologin;
  end if;
exception when duplicate_object then null;
end $$;

-- The functions that anybody may call run with the owner's rights, so their names must mean what we mean by them. And
-- their plans are made once a session, and must not depend on how full the tables were just then: rows are looked up by
-- index, one by one. A plan that suits an empty table would read all of it, again and again, once it is full.
do $$ declare
  f regprocedure;
begin
  for f in select oid from pg_proc where pronamespace = 'duly'::regnamespace and prosecdef loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', f);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f);
    execute format('alter function %s set enable_seqscan = off', f);
    execute format('alter function %s set enable_hashjoin = off', f);
    execute format('alter function %s set enable_mergejoin = off', f);
  end loop;
end $$;

revoke all on all functions in schema duly from public;
grant usage on schema duly to duly_app;
grant select on all tables in schema duly to duly_app;
grant insert, update on duly.tax_rates, duly.products, duly.payment_methods, duly.transaction_types,
  duly.transaction_reasons, duly.due_date_rules to duly_app;
grant update on duly.definitions to duly_app;
grant update (owner_name, owner_reference, email, locale, time_zone, credit_limit_minor, credit_period_days,
  due_date_rule_id, region, segment) on duly.accounts to duly_app;

-- Plain arithmetic that views call for whoever reads them.
grant execute on function duly.side_of, duly.ledger_account_of, duly.control_account, duly.day_in_month, duly.due_window,
  duly.due_dates, duly.seal_of to duly_app;
grant execute on function duly.open_account, duly.set_account_state, duly.create_payment, duly.create_refund,
  duly.create_invoice, duly.create_credit_note, duly.post_invoices, duly.edit_draft, duly.post_draft,
  duly.reject_draft, duly.draft_payment, duly.post_gateway_payment,
  duly.post_gateway_refund, duly.reject_payment, duly.reject_refund, duly.return_payment, duly.return_refund,
  duly.restore_payment,
  duly.cancel_invoice,
  duly.cancel_payment, duly.write_off, duly.move_to_account, duly.quick_pay, duly.add_note,
  duly.book_gateway_movement, duly.book_gateway_fee, duly.balance_as_of, duly.trial_balance, duly.mark_roll_up,
  duly.fill_roll_ups, duly.unsettled_invoices, duly.allocate_accounts to duly_app;
