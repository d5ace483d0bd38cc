-- Mandates: written for the payer to sign, debited from then on, and ended by either side or by 36 months without a debit.

-- The day that it is at a creditor's bank.
create or replace function duly.day_of_creditor(p_provider_id text) returns date
language sql stable security definer set search_path = duly, pg_temp as $$
    select (now() at time zone c.time_zone)::date from duly.creditors c where c.id = p_provider_id
$$;

-- SEPA Direct Debit Core Rulebook, 4.1: a mandate under which nothing was collected for 36 months is good for nothing. It counts on
-- which day the debit would be collected; without one it is today. Who signs it anew begins anew.
create or replace function duly.is_mandate_expired(m duly.mandates, p_on date default null) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.state in ('signed', 'active', 'suspended')
        and greatest(m.last_used_on, m.signed_on) + interval '36 months' <= coalesce(p_on, duly.day_of_creditor(m.provider_id))
$$;

create or replace function duly.may_be_debited(m duly.mandates, p_on date default null) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.state in ('signed', 'active') and not duly.is_mandate_expired(m, p_on)
$$;

create or replace function duly.mandate_for_update(p_id text) returns duly.mandates
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mandates;
begin
    perform from duly.account_balances b join duly.mandates x on x.account_id = b.account_id where x.id = p_id for no key update of b;
    select * into m from duly.mandates where id = p_id for no key update;
    if not found then
        perform duly.refuse('mandate_exists', format('mandate: there is no mandate %s', p_id));
    elsif m.state in ('cancelled', 'expired') or duly.is_mandate_expired(m) then
        perform duly.refuse('mandate_in_use', format('mandate: %s is %s', p_id,
            case when m.state = 'cancelled' then 'cancelled' else 'expired' end));
    end if;
    return m;
end $$;

create or replace function duly.mandate_decision(p_what text, p_actor text, p_reason text) returns text
language sql stable as $$
    select concat(to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'Z ', p_what, ' by ', p_actor, ': ', p_reason)
$$;

-- Write a mandate down; a repeat returns the same. The account pays by it from the day on which it is signed.
create or replace function duly.create_mandate(p_id text, p_account_id text, p_provider_id text, p_method text, p_payer_name text,
    p_iban text, p_bic text, p_signed_on date, p_actor text, p_reason text, p_notice_days integer default null)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_account duly.accounts;
    v_known duly.mandates;
    v_preference text;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into v_account from duly.accounts where id = p_account_id and kind = 'customer';
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    end if;
    select * into v_known from duly.mandates where id = p_id;
    if found then
        if (v_known.account_id, v_known.provider_id, v_known.iban) is distinct from (p_account_id, p_provider_id, p_iban) then
            perform duly.refuse('mandate_reference_once', format('mandate: %s is another mandate''s reference', p_id));
        end if;
        return p_id;
    end if;
    if not exists (select from duly.creditors where id = p_provider_id) then
        perform duly.refuse('creditor_exists', format('provider: %s has no creditor; apply definitions', p_provider_id));
    end if;
    perform duly.check_card_rules(v_account, p_provider_id, p_method);
    insert into duly.payment_preferences (account_id, payment_method_id, is_default) values (p_account_id, p_method, false)
    on conflict (account_id, payment_method_id) do nothing;
    select id into strict v_preference from duly.payment_preferences
    where account_id = p_account_id and payment_method_id = p_method;
    perform duly.note_customer(p_provider_id, p_account_id, p_account_id);
    insert into duly.mandates (id, account_id, provider_id, preference_id, payer_name, iban, bic, notice_days, decisions)
    values (p_id, p_account_id, p_provider_id, v_preference, p_payer_name, p_iban, p_bic, p_notice_days,
        array[duly.mandate_decision('created', p_actor, p_reason)]);
    if p_signed_on is not null then
        perform duly.sign_mandate(p_id, p_signed_on, p_actor, p_reason);
    end if;
    return p_id;
end $$;

-- A payer has signed: on a day, or today where the creditor is.
create or replace function duly.sign_mandate(p_id text, p_signed_on date, p_actor text, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mandates := duly.mandate_for_update(p_id);
begin
    p_signed_on := coalesce(p_signed_on, duly.day_of_creditor(m.provider_id));
    if m.state not in ('created', 'suspended') then
        perform duly.refuse('mandate_waits', format('mandate: %s is %s', p_id, m.state));
    elsif p_signed_on > duly.day_of_creditor(m.provider_id)
            or p_signed_on + interval '36 months' <= duly.day_of_creditor(m.provider_id) then
        perform duly.refuse('signed_lately', format('signed_on: %s has not come, or is 36 months ago', p_signed_on));
    elsif exists (select from duly.mandates o where o.account_id = m.account_id and o.provider_id = m.provider_id and o.id <> p_id
            and o.state in ('signed', 'active')) then
        perform duly.refuse('one_mandate_in_use', format('mandate: another mandate of %s is in use; cancel it first', m.account_id));
    end if;
    update duly.mandates set state = case when last_used_on is null then 'signed' else 'active' end, state_reason = '',
        signed_on = p_signed_on, decisions = decisions || duly.mandate_decision('signed', p_actor, p_reason) where id = p_id;
    if (select payment_method_id from duly.payment_preferences where account_id = m.account_id and is_default) is null then
        perform duly.prefer_method(m.account_id, (select payment_method_id from duly.payment_preferences where id = m.preference_id));
    end if;
    return m.account_id;
end $$;

-- The payer has another bank account, and the mandate stays: the next debit says so (4.6.2 of the rulebook).
create or replace function duly.amend_mandate(p_id text, p_payer_name text, p_iban text, p_bic text, p_actor text, p_reason text)
returns text language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mandates := duly.mandate_for_update(p_id);
begin
    update duly.mandates set payer_name = coalesce(nullif(p_payer_name, ''), payer_name), iban = p_iban, bic = p_bic,
        is_amended = is_amended or (last_used_on is not null and iban <> p_iban),
        state = case when state <> 'suspended' then state when last_used_on is null then 'signed' else 'active' end,
        state_reason = '', decisions = decisions || duly.mandate_decision('amended', p_actor, p_reason)
    where id = p_id;
    return m.account_id;
end $$;

create or replace function duly.cancel_mandate(p_id text, p_actor text, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.mandates := duly.mandate_for_update(p_id);
begin
    update duly.mandates set state = 'cancelled', state_reason = p_reason,
        decisions = decisions || duly.mandate_decision('cancelled', p_actor, p_reason) where id = p_id;
    perform duly.refuse_debit(d.id, 'MD01') from duly.debits d where d.mandate_id = p_id and d.state = 'pending';
    return m.account_id;
end $$;
