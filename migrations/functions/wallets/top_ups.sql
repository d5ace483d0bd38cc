-- Top-ups by runs (X23, X27): what a run asks for is invoiced, collected like any other invoice, and in the wallet when the invoice is
-- settled, not before. What becomes unsettled is taken out of it again, as far as it is not spent (decision 0213).

-- Wallets that a run finds below the threshold of their currency, what it would ask for, and why not. An account that waits for a top-up
-- is in none: that one is collected first.
create or replace function duly.top_up_candidates(p_definition duly.run_definitions, p_accounts text[] default null)
returns table (account_id text, currency text, amount_minor bigint, card_label text, reason text, is_left_out boolean)
language sql stable security definer set search_path = duly, pg_temp as $$
    with low as materialized (
        select a as account, u as rule from duly.accounts a
        join duly.wallet_top_up_rules u on u.currency = a.currency and u.is_active
        left join duly.wallet_top_up_choices c on c.account_id = a.id
        where a.kind = 'customer' and a.state <> 'terminated' and (p_accounts is null or a.id = any (p_accounts))
          and coalesce(c.is_on, u.for_all and exists (select from duly.wallet_transactions w where w.account_id = a.id))
          and not exists (select from duly.wallet_top_ups t where t.account_id = a.id and t.state = 'requested')
          and duly.wallet_spendable(a) < u.below_minor
    ),
    judged as (
        select (l.account).id as account_id, (l.account).currency as currency, (l.rule).amount_minor as amount_minor,
            card.brand || ' ' || card.last4 as card_label,
            duly.left_out_because(p_definition.criteria, l.account, coalesce(f.payment_method_id, k.payment_method_id),
                (l.rule).amount_minor, false) as left_out,
            coalesce(b.reason, duly.skip_reason(l.account, p_definition, card, g.customer_reference, (l.rule).amount_minor, p.minimum_minor, false,
                    duly.pays_otherwise((l.account).id, p_definition.provider_id)),
                case when not exists (select from duly.wallet_transaction_types y where y.id = (l.rule).wallet_type_id and y.is_active)
                        then 'wallet_type_exists'
                    when duly.wallet_room(l.account) < (l.rule).amount_minor then 'wallet_limit'
                    when (select count(*) from duly.wallet_top_ups t where t.account_id = (l.account).id
                        and t.requested_at >= date_trunc('month', now() at time zone (l.account).time_zone) at time zone (l.account).time_zone)
                        >= (l.rule).most_in_month then 'top_ups_of_month'
                    -- A card of it may have been charged, and nobody could write it down: what is left of a restore is settled first.
                    when duly.has_recovery_left((l.account).id) then 'recovery_left'
                    when duly.why_no_destination((l.account).id, p_definition.provider_id) <> '' then 'merchant_not_effective' end) as reason
        from low l
        left join duly.provider_currencies p on p.provider_id = p_definition.provider_id and p.currency = (l.account).currency
        left join duly.gateway_customers g on g.provider_id = p_definition.provider_id and g.account_id = (l.account).id
        left join duly.payment_preferences f on f.account_id = (l.account).id and f.is_default
        left join lateral duly.chargeable_card((l.account).id, p_definition.provider_id) card on true
        left join duly.payment_preferences k on k.id = card.preference_id
        left join duly.blocked_accounts(p_accounts) b on b.account_id = (l.account).id
    )
    select j.account_id, j.currency, j.amount_minor, coalesce(j.card_label, ''), coalesce(j.left_out, j.reason, ''), j.left_out is not null
    from judged j order by j.account_id collate "C"
$$;

-- Ask for what a run tops up, each wallet in the run's own commit and under its account's lock. Returns who gets no top-up: accounts and
-- what they would have been asked for, by reason and currency, as a certificate has them.
create or replace function duly.top_up_wallets(p_run_id text, p_definition duly.run_definitions, p_period text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.criteria_in_period(p_definition, p_period);
    c record;
    n record;
    v_rule text;
    v_passed jsonb := '[]';
begin
    -- All of them first, in the order of every other batch: who numbers documents has all its accounts, and waits for none.
    perform duly.lock_accounts(array(select x.account_id from duly.top_up_candidates(v_definition) x where x.reason = ''));
    for c in select * from duly.top_up_candidates(v_definition) loop
        v_rule := c.reason;
        if v_rule = '' then
            begin
                perform duly.lock_account(c.account_id);
                -- Under its lock, for another run may have asked, or somebody filled it, meanwhile.
                select * into n from duly.top_up_candidates(v_definition, array[c.account_id]);
                continue when n.account_id is null;
                v_rule := n.reason;
                if v_rule = '' then perform duly.request_top_up(p_run_id, n.account_id, n.amount_minor); end if;
            exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
                or sqlstate 'LD006' or sqlstate 'DU001' then
                get stacked diagnostics v_rule = constraint_name;
            end;
        end if;
        if v_rule <> '' then
            v_passed := v_passed || jsonb_build_object('reason', v_rule, 'currency', c.currency, 'amount_minor', c.amount_minor);
        end if;
    end loop;
    return (select coalesce(jsonb_agg(to_jsonb(x) order by x.reason, x.currency), '[]') from (
        select e ->> 'reason' as reason, e ->> 'currency' as currency, count(*) as accounts, sum((e ->> 'amount_minor')::bigint)::bigint as amount_minor
        from jsonb_array_elements(v_passed) e group by 1, 2) x);
end $$;

-- What allocations have done to the invoices of top-ups: each is looked at at the commit.
create or replace function duly.note_top_ups_moved(p_invoices text[]) returns void language sql as $$
    update duly.wallet_top_ups set moves = moves + 1 where invoice_id = any (p_invoices) and state <> 'withdrawn'
$$;

create or replace function duly.follow_top_up() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    u duly.wallet_top_ups;
    i duly.financial_transactions;
    a duly.accounts;
    v_open bigint;
begin
    select * into u from duly.wallet_top_ups where invoice_id = new.invoice_id;
    select * into i from duly.financial_transactions where id = u.invoice_id;
    select * into a from duly.accounts where id = u.account_id;
    v_open := duly.unsettled(i.id);
    if i.state = 'cancelled' then
        if u.state = 'credited' and not exists (select from duly.wallet_transactions v where v.voids_id = u.credited_id) then
            perform duly.refuse('prerequisite', 'wallet_transaction_first', jsonb_build_object('transaction_id', i.id));
        end if;
        update duly.wallet_top_ups set state = case state when 'requested' then 'withdrawn' else state end where invoice_id = u.invoice_id;
    elsif u.state = 'requested' and v_open = 0 then
        perform duly.credit_top_up(u, a);
    elsif u.state = 'credited' and v_open > 0 then
        perform duly.take_top_up_back(u, a, v_open);
    end if;
    return null;
end $$;

-- The invoice of a top-up is settled: the wallet has it. Money that has moved is never refused: what the wallet cannot take any more is
-- withdrawn, the payment settles what else is owed or is credit of the account, and operators are told.
create or replace function duly.credit_top_up(u duly.wallet_top_ups, a duly.accounts) returns void language plpgsql as $$
declare
    y duly.wallet_transaction_types;
    w duly.wallet_transactions;
    v_rule text;
    v_today date := (clock_timestamp() at time zone a.time_zone)::date;
begin
    begin
        perform duly.refuse_terminated(a);
        y := duly.wallet_type(u.wallet_type_id, 'credit');
        perform duly.expire_wallet(a);
        if u.amount_minor > duly.wallet_room(a) then
            perform duly.refuse('postcondition', 'wallet_limit', jsonb_build_object('account_id', a.id, 'amount_minor', u.amount_minor,
                'room_minor', duly.wallet_room(a), 'currency', a.currency));
        end if;
        w := duly.new_wallet_transaction(a, 'topped_up:' || u.invoice_id, duly.request_hash('topped_up', u.invoice_id), y.id, 'credit',
            u.amount_minor, 'system', u.run_id);
        w.posted_on := v_today;
        w.expires_on := duly.wallet_end(y, null, v_today);
        w.transaction_id := u.invoice_id;
        perform duly.post_wallet(w, 'wallet_top_ups');
        update duly.wallet_top_ups set state = 'credited', credited_id = w.id where invoice_id = u.invoice_id;
        return;
    exception when sqlstate 'LD001' or sqlstate 'LD002' or sqlstate 'LD003' or sqlstate 'LD004' or sqlstate 'LD005'
        or sqlstate 'LD006' or sqlstate 'DU001' then
        get stacked diagnostics v_rule = constraint_name;
    end;
    perform duly.lock_series_of_top_ups(array[a.id]);
    perform duly.withdraw_top_up(u.invoice_id, 'system', v_rule);
    perform duly.write_message('wallet_not_funded', a.id, '', u.run_id, jsonb_build_object('amount_minor', u.amount_minor,
        'currency', u.currency, 'code', v_rule, 'workflow', u.run_id), u.invoice_id);
end $$;

-- The money of a top-up has gone back: refunded, charged back, returned by the bank, or moved to another account. What is not spent of
-- it leaves the wallet, against a credit note for the invoice; what is spent is owed. The account is topped up no more by itself.
create or replace function duly.take_top_up_back(u duly.wallet_top_ups, a duly.accounts, p_open_minor bigint) returns void
language plpgsql as $$
declare
    c duly.wallet_transactions;
    w duly.wallet_transactions;
    t duly.financial_transactions;
    v_amount bigint;
    v_product text := (select l.product_id from duly.transaction_lines l where l.transaction_id = u.invoice_id);
begin
    perform duly.expire_wallet(a);
    select * into c from duly.wallet_transactions where id = u.credited_id;
    v_amount := least(p_open_minor, coalesce((select x.left_minor from duly.wallet_credits(a.id) x where x.id = c.id), 0));
    perform duly.switch_top_up(a.id, false, 'system', 'the money of a top-up has gone back');
    if v_amount = 0 then return; end if;
    perform duly.lock_series_of_top_ups(array[a.id]);
    w := duly.new_wallet_transaction(a, format('top_up_back:%s:%s', u.invoice_id, u.moves), duly.request_hash('top_up_back', u.invoice_id),
        c.type_id, 'debit', v_amount, 'system', 'the money of the top-up has gone back');
    w.posted_on := (clock_timestamp() at time zone a.time_zone)::date;
    t.id := 'ft_' || nextval('duly.financial_transaction_ids');
    t.idempotency_key := 'wallet:' || w.id || ':credit_note';
    t.request_hash := w.request_hash;
    t.classification := 'credit_note';
    t.type_id := duly.type_for('credit_note', null);
    t.account_id := a.id;
    t.currency := u.currency;
    t.total_minor := v_amount;
    t.addressed_invoice_ids := array[u.invoice_id];
    t.origin := 'system';
    t.actor := 'system';
    t.issue_reason := w.reason;
    t.posted_on := w.posted_on;
    t := duly.assign_posting(t, a.time_zone);
    t.issued_on := t.posted_on;
    perform duly.insert_header(t);
    perform duly.write_off_line(t, v_product);
    perform duly.write_transfers_and_open_item(t, a);
    perform duly.allocate(a.id, t.id, u.invoice_id, v_amount);
    perform duly.give_number(t);
    w.made_invoice_id := t.id;
    perform duly.post_wallet(w, 'wallet_top_ups');
    insert into duly.wallet_uses (transaction_id, credit_id, amount_minor) values (w.id, c.id, v_amount);
    update duly.wallet_top_ups set taken_back_minor = taken_back_minor + v_amount where invoice_id = u.invoice_id;
end $$;

-- Cancel the invoice of a top-up that is not paid: nothing was sold, and nothing is owed.
create or replace function duly.withdraw_top_up(p_invoice_id text, p_actor text, p_reason text) returns void language sql as $$
    select duly.cancel('invoice', p_invoice_id, 'top_up_withdrawn:' || p_invoice_id, duly.request_hash('top_up_withdrawn', p_invoice_id),
        null, null, p_reason, null, 'system', p_actor);
    update duly.wallet_top_ups set state = 'withdrawn' where invoice_id = p_invoice_id and state = 'requested'
$$;

-- The collection of a top-up has given up: the top-up is withdrawn and none follows by itself, whatever the policy does with what is owed.
-- Return whether there was one.
create or replace function duly.give_up_top_ups(p_collection duly.collections) returns boolean language plpgsql as $$
declare
    v_invoice text;
    v_is_any boolean := false;
begin
    for v_invoice in select u.invoice_id from duly.wallet_top_ups u
        where u.account_id = p_collection.account_id and u.state = 'requested' and u.invoice_id = any (p_collection.invoices)
    loop
        perform duly.withdraw_top_up(v_invoice, 'system', p_collection.reason);
        perform duly.switch_top_up(p_collection.account_id, false, 'system', 'a top-up was given up: ' || p_collection.reason);
        v_is_any := true;
    end loop;
    return v_is_any;
end $$;

-- Keep whether an account is topped up by itself, with who and why. Null: as the rule of its currency says. The caller holds its lock.
create or replace function duly.switch_top_up(p_account_id text, p_is_on boolean, p_actor text, p_reason text) returns boolean
language plpgsql as $$
declare
    v_was boolean := (select c.is_on from duly.wallet_top_up_choices c where c.account_id = p_account_id);
begin
    if v_was is not distinct from p_is_on then return false; end if;
    if p_is_on is null then
        delete from duly.wallet_top_up_choices where account_id = p_account_id;
    else
        insert into duly.wallet_top_up_choices (account_id, is_on) values (p_account_id, p_is_on)
        on conflict (account_id) do update set is_on = excluded.is_on;
    end if;
    perform duly.note_account_change(p_account_id, jsonb_build_object('wallet_top_up', jsonb_build_object('was', v_was, 'is', p_is_on)),
        coalesce(nullif(p_actor, ''), 'system'), coalesce(nullif(p_reason, ''), 'not said'));
    return true;
end $$;

-- The same, as a person asks for it. Returns whether anything was changed.
create or replace function duly.choose_top_up(p_account_id text, p_is_on boolean, p_actor text default 'system', p_reason text default '')
returns boolean language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.accounts := duly.lock_account(p_account_id);
begin
    if a.kind <> 'customer' then
        perform duly.refuse('prerequisite', 'account_takes_documents', jsonb_build_object('account_id', a.id));
    end if;
    perform duly.refuse_terminated(a);
    if p_is_on and not exists (select from duly.wallet_top_up_rules u where u.currency = a.currency and u.is_active) then
        perform duly.refuse('configuration', 'wallet_top_up_rule', jsonb_build_object('currency', a.currency));
    end if;
    return duly.switch_top_up(a.id, p_is_on, p_actor, p_reason);
end $$;

-- Who would be charged for a top-up, and why others are not, by keyset over accounts: those whose top-up is not paid yet, and those whose
-- wallet is low. Nothing is written.
create or replace function duly.top_up_dry_run_page(p_definition duly.run_definitions, p_period text, p_supplement integer, p_after text,
    p_limit integer, p_counted jsonb) returns jsonb
language plpgsql stable security definer set search_path = duly, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    v_accounts text[];
begin
    select array_agg(x.id) into v_accounts from (
        select a.id from duly.accounts a
        where a.kind = 'customer' and a.id > p_after and (
            exists (select from duly.wallet_top_ups u where u.account_id = a.id and u.state = 'requested')
            or exists (select from duly.wallet_top_up_choices c where c.account_id = a.id and c.is_on)
            or exists (select from duly.wallet_transactions w where w.account_id = a.id))
        order by a.id limit p_limit) x;
    return jsonb_build_object('after', coalesce(v_accounts[cardinality(v_accounts)], ''), 'criteria', p_definition.criteria)
        || duly.with_foreseen_holds((select coalesce(jsonb_agg(jsonb_build_object('account_id', m.account_id, 'currency', m.currency,
                'amount_minor', m.amount_minor, 'card', m.card_label, 'reason', m.reason, 'is_left_out', m.is_left_out, 'card_id', m.card_id)
                order by m.account_id), '[]')
            from (select j.account_id, j.currency, j.amount_minor, j.card_id, j.card_label, j.reason, j.is_left_out
                    from duly.members_of_month(p_definition, p_period, p_supplement, coalesce(v_accounts, '{}')) j
                union all
                select c.account_id, c.currency, c.amount_minor, null, c.card_label, c.reason, c.is_left_out
                    from duly.top_up_candidates(p_definition, coalesce(v_accounts, '{}')) c) m), p_definition.provider_id, p_period, p_counted);
end $$;
