-- Files of refunds that the bank has and a restored database may have forgotten: nobody is refunded by bank transfer, and no month is
-- decided, before a person has seen to them. They belong to no provider.

-- The oldest that is left of a recovery; null: nothing.
create or replace function duly.missing_refund_files() returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select object from duly.recovery_left where kind = 'refund_files' and settled_at is null order by noted_at, object limit 1
$$;

create or replace function duly.require_no_missing_refund_file() returns void
language plpgsql stable security definer set search_path = duly, pg_temp as $$
begin
    if duly.missing_refund_files() is not null then
        perform duly.refuse('files_are_known', format('period: the bank may have files of refunds that a restored database has '
            'forgotten; `refunds adopt` each, then `recover settle %s`', duly.missing_refund_files()));
    end if;
end $$;

-- Whether a run may give credit back through a gateway: a file of the gap may give back the same. That no month was ever refunded by
-- bank transfer is not known either: the first of them may be what the restored database has forgotten.
create or replace function duly.may_refund_credit() returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select duly.missing_refund_files() is null
$$;

-- A restore was declared: whoever exports refunds next says first which files the bank has.
create or replace function duly.leave_refund_files(p_provider_id text, p_epoch integer, p_since timestamptz) returns void
language sql as $$
    insert into duly.recovery_left (provider_id, object, kind, account_id, amount_minor, currency, why)
    values (p_provider_id, 'refund-files/' || p_epoch, 'refund_files', '', 0, 'EUR', format('files_are_known: those of %s or later; '
        '`refunds adopt` each, then settle this', to_char(p_since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI')))
    on conflict (provider_id, object) do nothing
$$;

-- One refund of a file is at the bank. One that was drafted in the gap is drafted again, by its reference: answers of the bank name it.
-- 'adopted', or 'unchanged' where that is known, or was answered.
create or replace function duly.adopt_bank_refund(p_file text, p_period text, p_reference text, p_account_id text, p_amount_minor bigint,
    p_currency text, p_actor text, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    t duly.financial_transactions;
begin
    perform pg_advisory_xact_lock(hashtextextended('bank_refunds:' || p_period, 0));
    select * into t from duly.financial_transactions where id = 'ft_' || substr(p_reference, 2);
    if t.id is not null and ((t.classification, t.account_id, t.total_minor, t.currency) is distinct from
            ('refund'::duly.classification, p_account_id, p_amount_minor, p_currency)
            or t.idempotency_key not like format('refund:%s:%%', p_period)) then
        perform duly.refuse('refund_of_file', format('reference: %s is another one here than the refund of %s that the file names',
            p_reference, p_period));
    elsif t.state <> 'draft' or exists (select from duly.refunds_at_bank where transaction_id = t.id) then
        return 'unchanged';
    elsif duly.missing_refund_files() is null then
        perform duly.refuse('file_is_missing', 'file: no file of refunds is missing');
    end if;
    if t.id is null then
        t.id := duly.draft_refund_of_file(p_period, p_reference, p_account_id, p_amount_minor, p_currency);
    end if;
    insert into duly.refunds_at_bank (transaction_id, file, actor, reason) values (t.id, p_file, p_actor, p_reason);
    return 'adopted';
end $$;

-- Draft a refund of the gap under the id that it had. Its money is under way: no rule of a person's entry refuses it.
create or replace function duly.draft_refund_of_file(p_period text, p_reference text, p_account_id text, p_amount_minor bigint,
    p_currency text) returns text language plpgsql as $$
declare
    o duly.accounts;
    t duly.financial_transactions;
    v_same duly.financial_transactions;
begin
    perform from duly.account_balances where account_id = p_account_id for no key update;
    select * into o from duly.accounts where id = p_account_id and kind = 'customer';
    if o.id is null then
        perform duly.refuse('account_exists', format('account: %s is not here; open it first', p_account_id));
    elsif o.currency <> p_currency then
        perform duly.refuse('currency_of_account', format('currency: %s has %s', p_account_id, o.currency));
    elsif substr(p_reference, 2)::numeric > (select last_value from duly.financial_transaction_ids) then
        perform duly.refuse('refund_of_file', format('reference: %s was never given', p_reference));
    end if;
    t.idempotency_key := format('refund:%s:%s', p_period, p_account_id);
    select * into v_same from duly.financial_transactions where idempotency_key = t.idempotency_key;
    if v_same.state = 'draft' then
        perform duly.refuse('refund_waits', format('reference: %s refunds %s in %s here; adopt the file that has it, or say what the '
            'bank did of it by `refunds confirm`', v_same.reference_number, p_account_id, p_period));
    elsif v_same.id is not null then
        -- What was given back in the same month besides.
        t.idempotency_key := concat(t.idempotency_key, ':', p_reference);
    end if;
    t.request_hash := duly.request_hash('moved', 'refund', p_account_id, p_amount_minor::text, p_currency, p_reference);
    t.id := 'ft_' || substr(p_reference, 2);
    t.issued_on := (clock_timestamp() at time zone o.time_zone)::date;
    select id into strict t.type_id from duly.transaction_types where classification = 'refund'
    order by is_default desc, is_active desc, id limit 1;
    t.addressed_invoice_ids := '{}';
    t.classification := 'refund';
    t.account_id := p_account_id;
    t.currency := p_currency;
    t.total_minor := p_amount_minor;
    t.state := 'draft';
    t.method := 'bank_transfer';
    t.issue_reason := 'Negative balance, ' || p_period;
    t.origin := 'system';
    t.actor := 'system';
    perform duly.insert_header(t);
    return t.id;
end $$;

-- Whether a draft of a month stays out of its file: it was made before a restore, and its account's credit does not cover it beside what
-- went back, or is at the bank, since. In the gap it was rejected. Where a file of before the backup has it, the bank's answer ends it.
create or replace function duly.is_refund_overtaken(t duly.financial_transactions) returns boolean
language sql stable security definer set search_path = duly, pg_temp as $$
    select t.state = 'draft' and exists (select from duly.recovery_left l where l.kind = 'refund_files' and l.noted_at > t.created_at)
        and (select -b.balance_minor from duly.account_balances b where b.account_id = t.account_id)
            < (select sum(o.total_minor) from duly.financial_transactions o where o.account_id = t.account_id
                and o.classification = 'refund' and o.state = 'draft')
$$;
