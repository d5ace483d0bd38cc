-- Payments by hand (F86, F87, C10): an agent charges an amount, invoices, or a part of one, on a card of the account's, now. The
-- order and its claim are one commit; from then on it is a collection like any other, and a repeat finds it again.

-- The card of an order: the one named, else one of the preference, else the first that may be charged by itself, else any that
-- is in use: a person may charge a card that runs may not (G12).
create or replace function duly.card_of_order(p_account_id text, p_provider_id text, p_card_id text, p_preference text)
returns duly.cards language sql stable security definer set search_path = duly, pg_temp as $$
    select c from duly.cards c join duly.payment_preferences f on f.id = c.preference_id
    where c.account_id = p_account_id and c.provider_id = p_provider_id and c.state = 'active'
      and (p_card_id = '' or c.id = p_card_id)
      and (p_preference = '' or 'PP-' || f.number = upper(p_preference) or f.payment_method_id = p_preference)
      and make_date(c.exp_year, c.exp_month, 1) + interval '1 month' > current_date
    order by duly.is_card_blocked(c.fingerprint), c.is_recurring desc, c.fallback_order, c.created_at desc limit 1
$$;

-- What a receivable asks for that was ordered as a prepayment, whatever is owed; null for every other.
create or replace function duly.prepaid_amount(p_account_id text, p_period text) returns bigint
language sql stable security definer set search_path = duly, pg_temp as $$
    select o.asked_minor from duly.payment_orders o where o.account_id = p_account_id and o.period = p_period and o.is_prepayment
$$;

-- Whether a prepayment is still waited for, whatever is owed.
create or replace function duly.is_prepayment_awaited(p_account_id text, p_period text) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select exists (select from duly.collections c
        where c.account_id = p_account_id and c.period = p_period and c.closed_at is null and c.asked_minor is not null
          and duly.prepaid_amount(c.account_id, c.period) is not null
          and not exists (select from duly.gateway_requests r where r.account_id = c.account_id and r.period = c.period
              and r.kind = 'payment' and r.state = 'posted'))
$$;

create or replace function duly.order_view(o duly.payment_orders) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('id', o.id, 'account_id', o.account_id, 'period', o.period, 'provider', o.provider_id,
        'is_open', exists (select from duly.collections c
            where c.account_id = o.account_id and c.period = o.period and c.closed_at is null))
$$;

-- Order a payment, or return it as it was ordered before. `period` is the name of the receivable, of which a repeat takes the first.
-- Refused, with nothing written: other terms under the same id, no card, or more than nobody else claims.
create or replace function duly.order_payment(p_id text, p_account_id text, p_period text, p_provider_id text, p_asked bigint,
    p_currency text, p_invoices text[], p_card_id text, p_preference text, p_hands_over boolean, p_actor text, p_reason text,
    p_prepays boolean default false)
returns jsonb language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    o duly.payment_orders;
    v_card duly.cards;
    v_part record;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no account %s', p_account_id));
    end if;
    select * into o from duly.payment_orders where id = p_id;
    if found then
        if (o.account_id, o.provider_id, o.asked_minor, o.invoices, o.wanted_card_id, o.wanted_preference, o.hands_over, o.is_prepayment)
            is distinct from (p_account_id, p_provider_id, p_asked, p_invoices, p_card_id, p_preference, p_hands_over, p_prepays) then
            perform duly.refuse('id_means_one_payment', format('id: %s was given to another payment, of %s', p_id, o.account_id));
        end if;
        return duly.order_view(o);
    end if;
    if p_currency <> (select currency from duly.accounts where id = p_account_id) then
        perform duly.refuse('currency_of_account', format('currency: %s is not kept in %s', p_account_id, p_currency));
    elsif p_asked is null and cardinality(p_invoices) = 0 then
        perform duly.refuse('something_asked', 'amount: say how much, or which invoices');
    elsif p_prepays and (p_asked is null or cardinality(p_invoices) > 0 or p_hands_over) then
        perform duly.refuse('prepayment_of_amount', 'prepay: a prepayment is of an amount, names no invoices, and is not handed over');
    elsif exists (select from duly.collections where account_id = p_account_id and period = p_period)
        or exists (select from duly.gateway_requests where account_id = p_account_id and period = p_period and kind = 'payment') then
        perform duly.refuse('one_owner', format('id: %s of %s is a receivable already; take another id', p_period, p_account_id));
    end if;
    perform duly.require_sending(p_provider_id);
    perform duly.refuse_stopped(p_provider_id);
    perform duly.refuse_above_maximum(p_asked, p_currency);
    v_card := duly.card_of_order(p_account_id, p_provider_id, p_card_id, p_preference);
    if v_card.id is null then
        perform duly.refuse('card_required', format('card: %s has no card at %s that may be charged%s%s; register one, or send a link',
            p_account_id, p_provider_id, coalesce(' under ' || nullif(p_card_id, ''), ''),
            coalesce(' by ' || nullif(p_preference, ''), '')));
    end if;
    perform duly.refuse_blocked(p_account_id, v_card.fingerprint);
    if p_prepays then
        -- As much as nobody else claims of what is owed is claimed, the oldest first, and may be nothing.
        select * into v_part from duly.claimable(p_account_id, p_period, null, p_asked => p_asked);
    else
        select * into v_part from duly.part_to_collect(p_account_id, p_period, '', p_invoices, p_asked);
    end if;
    if cardinality(v_part.invoices) = 0 and not p_prepays then
        perform duly.refuse('something_owed', format('account: %s owes nothing that nobody else is collecting', p_account_id));
    end if;
    insert into duly.payment_orders (id, account_id, period, provider_id, asked_minor, currency, invoices, wanted_card_id,
        wanted_preference, card_id, hands_over, actor, reason, is_prepayment)
    values (p_id, p_account_id, p_period, p_provider_id, p_asked, p_currency, p_invoices, p_card_id, p_preference, v_card.id,
        p_hands_over, p_actor, p_reason, p_prepays)
    returning * into o;
    perform duly.insert_collection(p_account_id, p_period, p_provider_id, '', '', v_part.invoices, null, p_asked => p_asked,
        p_policy_id => case when p_hands_over then 'standard' else 'by_hand' end);
    return duly.order_view(o);
end $$;
