-- Where the guards stand. Their functions are replaceable and come after the tables (migrations/functions/ledger/guards.sql);
-- until then each is a placeholder that lets nothing be written.

do $$
declare
    f text;
begin
    foreach f in array array['apply_allocations', 'guard_account', 'guard_complete', 'guard_counterpart', 'guard_header', 'guard_new_lines', 'guard_new_open_items', 'guard_new_transfers', 'guard_old_lines', 'guard_transition', 'refuse_change', 'undo_allocations']
    loop
        execute format('create function duly.%I() returns trigger language plpgsql as $f$ begin
            raise exception using message = ''the functions are not there yet: run migrate'';
        end $f$', f);
    end loop;
end $$;

do $$
declare
  t text;
begin
  foreach t in array array['transfers', 'allocations', 'deallocations', 'transaction_numbers', 'transaction_notes',
    'gateway_bookings', 'ledger_day_sums']
  loop
    execute format('create trigger append_only before update or delete on duly.%I
      for each row execute function duly.refuse_change()', t);
  end loop;
  foreach t in array array['financial_transactions', 'open_items', 'accounts', 'account_balances', 'ledger_roll_ups',
    'currencies', 'tax_rates', 'products', 'payment_methods', 'transaction_types', 'transaction_reasons',
    'due_date_rules', 'ledger_account_kinds', 'definitions']
  loop
    execute format('create trigger append_only before delete on duly.%I
      for each row execute function duly.refuse_change()', t);
  end loop;
  for t in select tablename from pg_tables where schemaname = 'duly' and tablename <> 'alembic_version' loop
    execute format('create trigger no_truncate before truncate on duly.%I
      for each statement execute function duly.refuse_change()', t);
  end loop;
end $$;

create trigger guard_header before insert or update on duly.financial_transactions
  for each row execute function duly.guard_header();

create trigger guard_transition before update on duly.financial_transactions
  for each row execute function duly.guard_transition();

create trigger guard_counterpart before insert on duly.financial_transactions
  for each row when (new.counterpart_id is not null) execute function duly.guard_counterpart();

create trigger guard_account after insert or update of account_id on duly.financial_transactions
  for each row when (new.posted_xid is null) execute function duly.guard_account();

create constraint trigger guard_complete after insert or update on duly.financial_transactions
  deferrable initially deferred for each row when (new.state = 'posted') execute function duly.guard_complete();

create trigger guard_new_lines after insert on duly.transaction_lines referencing new table as new_rows
  for each statement execute function duly.guard_new_lines();

create trigger guard_old_lines before delete on duly.transaction_lines
  for each row execute function duly.guard_old_lines();

create trigger append_only before update on duly.transaction_lines
  for each row execute function duly.refuse_change();

create trigger guard_new_transfers after insert on duly.transfers referencing new table as new_rows
  for each statement execute function duly.guard_new_transfers();

create trigger guard_new_open_items after insert on duly.open_items referencing new table as new_rows
  for each statement execute function duly.guard_new_open_items();

create trigger only_by_allocations before update on duly.open_items
  for each row when (pg_trigger_depth() = 0) execute function duly.refuse_change();

create trigger apply_allocations after insert on duly.allocations referencing new table as new_rows
  for each statement execute function duly.apply_allocations();

create trigger undo_allocations after insert on duly.deallocations referencing new table as new_rows
  for each statement execute function duly.undo_allocations();

create trigger identity_is_fixed before update on duly.accounts for each row
  when ((old.id, old.kind, old.currency) is distinct from (new.id, new.kind, new.currency))
  execute function duly.refuse_change();

create trigger only_forward before update on duly.account_balances for each row
  when (old.account_id <> new.account_id or new.version <= old.version or new.posted_at < old.posted_at)
  execute function duly.refuse_change();

create trigger seal_once before update on duly.ledger_roll_ups for each row
  when ((old.id, old.after_transfer_id, old.upto_transfer_id, old.marked_at)
    is distinct from (new.id, new.after_transfer_id, new.upto_transfer_id, new.marked_at) or old.seal is not null)
  execute function duly.refuse_change();
