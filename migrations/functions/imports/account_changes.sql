-- Accounts that commands make and edit, with who did it and why.

create or replace function duly.note_account_change(p_account_id text, p_changes jsonb, p_actor text, p_reason text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.account_changes (account_id, changes, actor, reason) values (p_account_id, p_changes, p_actor, p_reason)
$$;

-- Make an account; false when there is one with the id already, which stays as it is.
create or replace function duly.create_account(p_account_id text, p_account jsonb, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if exists (select from duly.accounts where id = p_account_id) then return false; end if;
    perform duly.open_account(p_account_id, r.currency, r.owner_name, r.owner_reference, r.email, r.locale, r.time_zone,
        r.credit_limit_minor, r.credit_period_days, r.due_date_rule_id, r.region, r.segment,
        p_classification => r.classification)
    from jsonb_to_record(p_account) as r (currency text, owner_name text, owner_reference text, email text, locale text,
        time_zone text, credit_limit_minor bigint, credit_period_days integer, due_date_rule_id text, region text, segment text,
        classification text);
    if p_account ->> 'payment_method' is not null then
        perform duly.prefer_method(p_account_id, p_account ->> 'payment_method');
    end if;
    perform duly.note_account_change(p_account_id, jsonb_build_object('created', jsonb_strip_nulls(p_account)), p_actor, p_reason);
    return true;
end $$;

-- Change fields of an account, all of them or none, and keep what they were; false when they are so already.
create or replace function duly.edit_account(p_account_id text, p_fields jsonb, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.accounts;
    v_before jsonb;
    v_changes jsonb;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into a from duly.accounts where id = p_account_id and kind = 'customer' for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    elsif a.state = 'terminated' then
        perform duly.refuse('account_not_terminated', format('account: %s is terminated', a.id));
    end if;
    v_before := to_jsonb(a) || jsonb_build_object('payment_method', (select f.payment_method_id
        from duly.payment_preferences f where f.account_id = a.id and f.is_default));
    select jsonb_object_agg(f.key, jsonb_build_object('was', v_before -> f.key, 'is', f.value)) into v_changes
    from jsonb_each(p_fields) f where v_before -> f.key is distinct from f.value;
    if v_changes is null then return false; end if;
    if v_changes ? 'payment_method' then
        perform duly.prefer_method(p_account_id, p_fields ->> 'payment_method');
    end if;
    a := jsonb_populate_record(a, p_fields);
    update duly.accounts set owner_name = a.owner_name, owner_reference = a.owner_reference, email = a.email, locale = a.locale,
        time_zone = a.time_zone, credit_limit_minor = a.credit_limit_minor, credit_period_days = a.credit_period_days,
        due_date_rule_id = a.due_date_rule_id, region = a.region, segment = a.segment,
        classification = a.classification
    where id = p_account_id;
    perform duly.note_account_change(p_account_id, v_changes, p_actor, p_reason);
    return true;
end $$;

create or replace function duly.change_account_state(p_account_id text, p_state text, p_actor text, p_reason text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_was text := (select state from duly.accounts where id = p_account_id);
begin
    perform set_config('duly.actor', p_actor, true), set_config('duly.reason', p_reason, true);
    perform duly.set_account_state(p_account_id, p_state);
    if v_was is distinct from p_state then
        perform duly.note_account_change(p_account_id,
            jsonb_build_object('state', jsonb_build_object('was', v_was, 'is', p_state)), p_actor, p_reason);
    end if;
end $$;
