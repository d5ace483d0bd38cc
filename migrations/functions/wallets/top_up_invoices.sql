-- The invoices of top-ups that runs ask for, their numbers, and what else may touch their ledger account: nothing.

-- Invoice a top-up; its number comes with those of the run's others (duly.number_top_ups). An account in credit has paid it at once: the
-- wallet is filled by the commit.
create or replace function duly.request_top_up(p_run_id text, p_account_id text, p_amount_minor bigint) returns void
language plpgsql as $$
declare
    a duly.accounts;
    u duly.wallet_top_up_rules;
    w duly.wallet_transactions;
    t duly.financial_transactions;
begin
    select * into strict a from duly.accounts where id = p_account_id;
    select * into strict u from duly.wallet_top_up_rules where currency = a.currency;
    w := duly.new_wallet_transaction(a, format('top_up:%s:%s', p_run_id, a.id), duly.request_hash('top_up', p_run_id, a.id),
        u.wallet_type_id, 'credit', p_amount_minor, 'system', p_run_id);
    w.posted_on := (clock_timestamp() at time zone a.time_zone)::date;
    t := duly.wallet_invoice(w, a, u.product_id);
    insert into duly.wallet_top_ups (invoice_id, account_id, run_id, currency, amount_minor, wallet_type_id)
    values (t.id, a.id, p_run_id, a.currency, p_amount_minor, u.wallet_type_id);
    perform duly.settle(t);
end $$;

-- Number the invoices of a run's top-ups, as the last step of its commit: the series is locked for no longer. What the commit withdraws
-- again, for the wallet takes no more, is cancelled in another series, which is locked first.
create or replace function duly.number_top_ups(p_run_id text) returns void language plpgsql as $$
declare
    v_invoices text[] := array(select u.invoice_id from duly.wallet_top_ups u where u.run_id = p_run_id
        and not exists (select from duly.transaction_numbers n where n.transaction_id = u.invoice_id)
        order by length(u.invoice_id), u.invoice_id);
begin
    if v_invoices = '{}' then return; end if;
    perform duly.lock_series_of_top_ups(array(select u.account_id from duly.wallet_top_ups u where u.invoice_id = any (v_invoices) and u.moves > 0));
    perform duly.give_numbers('invoice', v_invoices);
end $$;

-- Lock both series in which the commit may number what becomes of top-ups, in the order of their stems: in the order of what has
-- happened two commits would wait for each other.
create or replace function duly.lock_series_of_top_ups(p_accounts text[]) returns void language plpgsql as $$
begin
    if p_accounts = '{}' or current_setting('duly.is_tried_out', true) = 'on' then return; end if;
    perform duly.lock_series(x.stem) from (
        select distinct s.stem from duly.accounts a
        cross join unnest(array['credit_note', 'invoice_cancellation']::duly.classification[]) c (classification)
        cross join lateral duly.series_of(duly.type_for(c.classification, null), (clock_timestamp() at time zone a.time_zone)::date) s
        where a.id = any (p_accounts) and (s.is_gap_free or not coalesce(s.is_open, false)) order by s.stem) x;
end $$;

-- What touches their ledger account is by the commit what a wallet transaction moves, the invoice of a top-up, or its cancellation.
create or replace function duly.guard_wallet_top_ups() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from duly.wallet_transactions w where w.id = new.source_id and w.posted_xid = pg_current_xact_id())
        and not exists (select from duly.wallet_top_ups u where u.invoice_id = new.source_id)
        and not exists (select from duly.financial_transactions t join duly.wallet_top_ups u on u.invoice_id = t.counterpart_id
            where t.id = new.source_id and t.classification = 'invoice_cancellation')
        -- The credit note of what is taken back.
        and not exists (select from duly.wallet_transactions w join duly.financial_transactions t on t.id = w.made_invoice_id
            join duly.wallet_top_ups u on u.invoice_id = any (t.addressed_invoice_ids)
            where w.made_invoice_id = new.source_id and w.posted_xid = pg_current_xact_id()) then
        perform duly.refuse('prerequisite', 'wallet_transaction_first', jsonb_build_object('transaction_id', new.source_id));
    end if;
    return null;
end $$;

-- A credit note for the invoice of a top-up would fill a wallet with money that nobody has paid, or give back what the wallet keeps.
create or replace function duly.refuse_note_for_top_up(t duly.financial_transactions) returns void language plpgsql stable as $$
declare
    u duly.wallet_top_ups;
begin
    select * into u from duly.wallet_top_ups where invoice_id = any (t.addressed_invoice_ids) order by invoice_id limit 1;
    if found then
        perform duly.refuse('prerequisite', case u.state when 'requested' then 'wallet_top_up_is_cancelled' else 'wallet_top_up_is_voided' end,
            jsonb_build_object('transaction_id', u.invoice_id));
    end if;
end $$;

-- Whether a top-up is asked for and not paid: money of any kind that settles by pure FIFO may settle it.
create or replace function duly.waits_for_top_up(p_account_id text) returns boolean language sql stable as $$
    select exists (select from duly.wallet_top_ups u where u.account_id = p_account_id and u.state = 'requested')
$$;
