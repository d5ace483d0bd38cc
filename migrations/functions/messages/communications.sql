-- Communications (F140 to F142): one template for transactions or for a segment, each recipient once; and what stops mail.

-- What is kept of an address that bounced: letters of it count alike, as all mail servers treat them.
create or replace function duly.address_hash(p_email text) returns text language sql immutable parallel safe as $$
    select encode(sha256(convert_to(lower(btrim(p_email)), 'UTF8')), 'hex')
$$;

-- Why a message to an account's own address is not sent, or null: nothing goes to an address that bounced, and to who wants none no
-- communication that neither law nor contract requires. Whoever has asked for a link a moment ago reads that address, whatever a mail server has said of it.
create or replace function duly.mail_stop_of(m duly.messages) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select case min(s.kind) when 'bounced' then 'address_bounced' else min(s.kind) end
    from duly.mail_stops s join duly.accounts a on a.id = s.account_id
    where m.audience = 'customer' and s.account_id = m.account_id
      -- A payer whom a request names, and whoever asked for it, has another address.
      and coalesce((m.parameters ->> 'payer')::integer, 0) = 0 and coalesce(m.parameters ->> 'to', '') = ''
      and case s.kind when 'bounced' then m.kind <> 'portal_link' and s.address_hash = duly.address_hash(a.email) else m.kind = 'communication'
          and not coalesce((select c.is_required from duly.communications c where c.id = m.parameters ->> 'communication'), false) end
$$;

-- Stop mail to an account, or let it go again; false where it was so. An address bounced as it is now.
create or replace function duly.stop_mail(p_account_id text, p_kind text, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.accounts;
    v_hash text;
begin
    select * into a from duly.accounts where id = p_account_id and kind = 'customer' for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    elsif p_kind = 'bounced' and a.email is null then
        perform duly.refuse('account_has_address', format('account: %s has no address', p_account_id));
    end if;
    v_hash := case p_kind when 'bounced' then duly.address_hash(a.email) else '' end;
    if exists (select from duly.mail_stops where (account_id, kind, address_hash) = (a.id, p_kind, v_hash)) then return false; end if;
    insert into duly.mail_stops as s (account_id, kind, address_hash, actor, reason) values (a.id, p_kind, v_hash, p_actor, p_reason)
    on conflict (account_id, kind) do update set address_hash = excluded.address_hash, actor = excluded.actor, reason = excluded.reason,
        since = clock_timestamp();
    perform duly.note_account_change(a.id, jsonb_build_object('mail', jsonb_build_object('was', null, 'is', p_kind)), p_actor, p_reason);
    return true;
end $$;

create or replace function duly.allow_mail(p_account_id text, p_kind text, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    perform from duly.accounts where id = p_account_id and kind = 'customer' for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    end if;
    delete from duly.mail_stops where account_id = p_account_id and kind = p_kind;
    if not found then return false; end if;
    perform duly.note_account_change(p_account_id, jsonb_build_object('mail', jsonb_build_object('was', p_kind, 'is', null)), p_actor, p_reason);
    return true;
end $$;

-- Mail to an account's own address that is not there (RFC 5321 and 3463) stops what goes to it. It is the address that was written to: the
-- account may have another one by now.
create or replace function duly.stop_bounced(m duly.messages, p_address_hashes text[]) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    insert into duly.mail_stops as s (account_id, kind, address_hash, actor, reason)
    select a.id, 'bounced', duly.address_hash(a.email), 'mail server', m.reason
    from duly.accounts a
    where a.id = m.account_id and m.audience = 'customer' and m.state = 'failed'
        -- It has another one: what is kept of that one stays.
        and duly.address_hash(a.email) = any (p_address_hashes)
        and coalesce((m.parameters ->> 'payer')::integer, 0) = 0 and coalesce(m.parameters ->> 'to', '') = ''
    on conflict (account_id, kind) do update set address_hash = excluded.address_hash, actor = excluded.actor, reason = excluded.reason,
        since = clock_timestamp()
    where s.address_hash <> excluded.address_hash;
    return found;
end $$;

-- A mail server's answer to the recipient that we named.
create or replace function duly.note_bounce(p_message_id text, p_address_hash text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.messages;
begin
    select * into m from duly.messages where id = p_message_id;
    if m.reason ~ '^rejected smtp_(550|551|553|556)$' then
        perform duly.stop_bounced(m, array[p_address_hash]);
    end if;
end $$;

-- A report that came later, about what a server had taken from us: nobody has got it. Only the message's own reader, and whoever carried it,
-- knows its Message-ID, so that nobody stops somebody else's mail by a report that is made up. Said before, it changes nothing; and what was
-- queued again meanwhile is decided by its next sending.
create or replace function duly.note_returned_mail(p_mail_id text, p_status text, p_address_hashes text[], p_is_no_address boolean) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    m duly.messages;
    v_is_new boolean;
    v_stops boolean := false;
begin
    update duly.messages set state = 'failed', reason = 'returned ' || p_status, sent_at = null
    where mail_id = p_mail_id and state in ('sent', 'sending') returning * into m;
    v_is_new := found;
    if not v_is_new then
        select * into m from duly.messages where mail_id = p_mail_id;
        if not found then
            return jsonb_build_object('outcome', 'unknown', 'message_id', '');
        end if;
    elsif p_is_no_address then
        v_stops := duly.stop_bounced(m, p_address_hashes);
    end if;
    return jsonb_build_object('message_id', m.id, 'outcome', case when not v_is_new then 'known' when v_stops then 'stopped' else 'failed' end);
end $$;

-- What the tags of a template say, as things are now: of an account, and of a transaction where there is one.
create or replace function duly.communication_facts(p_account_id text, p_transaction_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('account', a.id, 'currency', a.currency, 'balance_minor', b.balance_minor,
            'owed_minor', greatest(b.balance_minor, 0), 'credit_minor', greatest(-b.balance_minor, 0),
            'overdue_minor', o.amount_minor, 'overdue_days', o.days, 'reference', coalesce(a.owner_reference, ''))
        || coalesce((select jsonb_build_object('number', coalesce(n.number, t.reference_number), 'type', y.name, 'amount_minor', t.total_minor,
                'net_minor', coalesce(l.net_minor, t.total_minor), 'tax_minor', coalesce(l.tax_minor, 0),
                'discount_minor', coalesce(l.discount_minor, 0), 'open_minor', coalesce(i.amount_minor - i.allocated_minor, 0),
                'posted_on', t.posted_on, 'issued_on', t.issued_on, 'due_on', t.due_on, 'method', coalesce(m.name, ''),
                'payment_reference', coalesce(t.payment_reference, ''), 'state', t.state, 'invoices', coalesce(w.numbers, ''),
                'days_overdue', case when exists (select from duly.wallet_top_ups u where u.invoice_id = t.id and u.state = 'requested')
                    then 0 else greatest((now() at time zone a.time_zone)::date - t.due_on, 0) end)
            from duly.financial_transactions t
            join duly.transaction_types y on y.id = t.type_id
            left join duly.transaction_numbers n on n.transaction_id = t.id
            left join duly.open_items i on i.transaction_id = t.id
            left join duly.payment_methods m on m.id = t.method
            left join lateral (select sum(x.net_minor)::bigint as net_minor, sum(x.tax_minor)::bigint as tax_minor,
                sum(x.discount_minor)::bigint as discount_minor from duly.transaction_lines x where x.transaction_id = t.id) l on true
            -- What a payment settles, or a refund gives back: the first ten, as on a receipt.
            left join lateral (select string_agg(z.number, ', ' order by z.number) as numbers from (
                select distinct k.number from duly.current_allocations c
                join duly.transaction_numbers k on k.transaction_id = case t.id when c.credit_id then c.debit_id else c.credit_id end
                where t.id in (c.credit_id, c.debit_id) order by k.number limit 10) z) w on true
            where t.id = p_transaction_id and t.account_id = a.id), '{}')
    from duly.accounts a join duly.account_balances b on b.account_id = a.id
    cross join lateral (select coalesce(sum(i.amount_minor - i.allocated_minor), 0)::bigint as amount_minor,
            coalesce(max((now() at time zone a.time_zone)::date - t.due_on), 0) as days
        from duly.open_items i join duly.financial_transactions t on t.id = i.transaction_id and t.due_on is not null
        where i.account_id = a.id and i.side = 'debit' and i.allocated_minor < i.amount_minor
          and t.due_on < (now() at time zone a.time_zone)::date
          -- A top-up that is not paid is withdrawn, and no debt.
          and not exists (select from duly.wallet_top_ups u where u.invoice_id = t.id and u.state = 'requested')) o
    where a.id = p_account_id
$$;

-- Whom a communication is for, and why somebody is left out: of named transactions, or of a segment, over days where they are given.
create or replace function duly.communication_recipients(p_segment_id text, p_transactions text[], p_from date, p_to date)
returns table (account_id text, transaction_id text, state text, left_out text)
language sql stable security definer set search_path = duly, pg_temp as $$
    select x.account_id, x.transaction_id, x.state, case when a.kind <> 'customer' then 'no_customer' when a.state = 'terminated' then 'terminated'
            when a.email is null then 'no_address' when s.bounced then 'address_bounced' when s.opted_out then 'opted_out' end
    from (select t.account_id, t.id as transaction_id, t.state::text as state from duly.financial_transactions t where t.id = any (p_transactions)
        union all
        select t.account_id, t.id, t.state::text from duly.transactions_in_segment(p_segment_id, p_from, p_to) t
        union all
        select t.id, '', '' from duly.accounts_in_segment(p_segment_id) t) x
    join duly.accounts a on a.id = x.account_id
    left join lateral (select bool_or(k.kind = 'bounced' and k.address_hash = duly.address_hash(a.email)) as bounced,
        bool_or(k.kind = 'opted_out') as opted_out from duly.mail_stops k where k.account_id = a.id) s on true
$$;

-- What a preview was made of, beside the records: the template, the criteria of the segment, and its days. Another value says that one of them
-- was changed since, or that a new month has begun.
create or replace function duly.communication_basis(p_template_id text, p_segment_id text, p_from date, p_to date) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select left(encode(sha256(convert_to(jsonb_build_array(m.texts, m.attaches_documents, m.is_required, s.about, s.criteria, w.criteria,
        p_from, p_to)::text, 'UTF8')), 'hex'), 16)
    from duly.message_templates m
    left join duly.segments s on s.id = p_segment_id
    left join duly.segments w on w.id = s.criteria ->> 'accounts'
    where m.id = p_template_id
$$;

-- Write the messages of a communication, in one commit with what it was: p_asked is that in the words of whoever asked, for the days of a
-- segment are other ones tomorrow. A repeat of its id that asks for the same writes nothing and
-- answers as before; one that asks for something else is refused. More letters than p_at_most (null: any) are written to nobody: a segment
-- may have grown since somebody looked. Nor is anything written where p_as_previewed (null: anything) is not what it is made of now.
create or replace function duly.communicate(p_id text, p_template_id text, p_segment_id text, p_transactions text[], p_from date, p_to date,
    p_asked jsonb, p_actor text, p_reason text, p_at_most bigint default null,
    p_as_previewed text default null) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    c duly.communications;
    m duly.message_templates;
begin
    -- Two at once with one id: the second waits here, and finds what the first has written.
    perform pg_advisory_xact_lock(hashtext('duly.communications'), hashtext(p_id));
    select * into c from duly.communications where id = p_id;
    if found then
        if (c.template_id, c.asked) is distinct from (p_template_id, p_asked) then
            perform duly.refuse('communication_same', format('id: %s was another communication; take another id', p_id));
        end if;
        return c.counts || jsonb_build_object('id', c.id, 'is_new', false);
    end if;
    -- Nobody changes what it is made of before the commit.
    select * into m from duly.message_templates where id = p_template_id for share;
    perform from duly.segments s where s.id in (p_segment_id, (select x.criteria ->> 'accounts' from duly.segments x where x.id = p_segment_id)) for share;
    if p_as_previewed <> duly.communication_basis(p_template_id, p_segment_id, p_from, p_to) then
        perform duly.refuse('communication_as_previewed',
            'as_previewed: the template, the segment or its days are not those of the preview any more: look at it again');
    end if;
    insert into duly.communications (id, template_id, texts, attaches_documents, is_required, asked, counts, actor, reason)
    values (p_id, m.id, m.texts, m.attaches_documents, m.is_required, p_asked, '{}', p_actor, p_reason);
    -- What the law or a contract requires goes to whoever has opted out, too.
    with chosen as materialized (select r.account_id, r.transaction_id, r.state,
            nullif(r.left_out, case when m.is_required then 'opted_out' end) as left_out
        from duly.communication_recipients(p_segment_id, p_transactions, p_from, p_to) r),
    written as (
        insert into duly.messages (id, audience, kind, account_id, parameters)
        select 'communication/' || p_id || '/' || coalesce(nullif(x.transaction_id, ''), x.account_id), 'customer', 'communication', x.account_id,
            jsonb_build_object('communication', p_id, 'template', m.id, 'transaction_id', x.transaction_id, 'state', x.state)
        from chosen x where x.left_out is null
        on conflict (id) do nothing)
    update duly.communications set counts = (
        select jsonb_build_object('chosen', count(*), 'written', count(*) filter (where x.left_out is null),
            'left_out', coalesce((select jsonb_object_agg(y.left_out, y.number) from (select z.left_out, count(*) as number
                from chosen z where z.left_out is not null group by 1) y), '{}')) from chosen x)
    where id = p_id returning * into c;
    if (c.counts ->> 'written')::bigint > p_at_most then
        perform duly.refuse('messages_at_most', format('at_most: it would be %s letters now, more than %s: look at it again',
            c.counts ->> 'written', p_at_most));
    end if;
    return c.counts || jsonb_build_object('id', c.id, 'is_new', true);
end $$;

-- What is mailed when something is posted, where the rules of messages say so. An invoice goes to the customer with its document, a
-- payment that no gateway has answered for is confirmed; the gateway's own have their receipts (duly.write_receipt). What is posted to a
-- day of more than a week ago is what was entered late, or comes from another system: nobody waits for mail about it. Nor about what
-- moved from account to account, or mirrors what was written off, or was paid out of a wallet or by a voucher; and an invoice that a
-- wallet makes is paid with it, or, for a top-up, withdrawn unless it is paid: it is asked for as a debt by nobody.
create or replace function duly.write_posting_message() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    r duly.message_rules;
begin
    select * into r from duly.message_rules;
    if not (case new.classification when 'invoice' then r.sends_invoices else r.confirms_payments end)
        or new.counterpart_id is not null or new.posted_on < current_date - 7
        or new.origin = 'system' and new.idempotency_key like 'wallet:%:invoice'
        or not exists (select from duly.accounts a where a.id = new.account_id and a.kind = 'customer') then
        return null;
    elsif new.classification = 'invoice' then
        insert into duly.messages (id, audience, kind, account_id, parameters)
        values ('invoice_posted/' || new.id, 'customer', 'invoice_posted', new.account_id, jsonb_build_object('transaction_id', new.id,
            'state', 'posted', 'amount_minor', new.total_minor, 'currency', new.currency,
            'at', new.due_on))
        on conflict (id) do nothing;
    elsif new.provider is null and exists (select from duly.payment_methods p
            where p.id = new.method and p.ledger_account not in ('wallet_clearing', 'voucher_clearing')) then
        insert into duly.messages (id, audience, kind, account_id, parameters)
        values ('receipt/' || new.account_id || '/' || new.id, 'customer', 'receipt', new.account_id, jsonb_build_object('payment_id', new.id,
            'amount_minor', new.total_minor, 'currency', new.currency, 'card_id', '',
            'at', new.posted_on))
        on conflict (id) do nothing;
    end if;
    return null;
end $$;

-- A bill goes to its account with its document, once, where the rules of messages say so: when it is made, or when somebody presents it.
create or replace function duly.write_bill_message(b duly.account_bills) returns void language sql security definer
set search_path = duly, pg_temp as $$
    insert into duly.messages (id, audience, kind, account_id, period, parameters)
    select 'bill_made/' || b.id, 'customer', 'bill_made', b.account_id, b.period, jsonb_build_object('bill_id', b.id, 'bill', b.number,
        'amount_minor', b.outstanding_minor, 'currency', b.currency)
    from duly.message_rules r where r.sends_bills
    on conflict (id) do nothing
$$;
