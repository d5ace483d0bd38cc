-- Documents as they were printed first: facts and files, kept once and for good, and the links that lead to files.

-- Keep what a posted transaction's document says, with the first file that was written of it: what could not be written keeps
-- nothing. False when somebody has kept other facts meanwhile.
create or replace function duly.keep_document(p_transaction_id text, p_facts jsonb) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_logo text := p_facts -> 'seller' ->> 'logo';
    v_hash text := case when v_logo <> '' then encode(sha256(convert_to(v_logo, 'UTF8')), 'hex') else '' end;
begin
    if v_logo <> '' then
        insert into duly.document_logos (sha256, svg) values (v_hash, v_logo) on conflict do nothing;
    end if;
    insert into duly.documents (transaction_id, facts)
    select t.id, jsonb_set(p_facts, '{seller,logo}', to_jsonb(v_hash)) from duly.financial_transactions t
    where t.id = p_transaction_id and t.posted_at is not null
    on conflict (transaction_id) do nothing;
    return coalesce(duly.kept_document(p_transaction_id) = p_facts, false);
end $$;

-- What a document said when it was printed first, with its logo; null where it was not printed.
create or replace function duly.kept_document(p_transaction_id text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_set(d.facts, '{seller,logo}', to_jsonb(coalesce(l.svg, '')))
    from duly.documents d left join duly.document_logos l on l.sha256 = d.facts -> 'seller' ->> 'logo'
    where d.transaction_id = p_transaction_id
$$;

-- Keep a file of a document and the facts that it was written of; who comes second has the first one's. Returns its id; null when
-- other facts were kept meanwhile: it is to be written of those.
create or replace function duly.keep_document_file(p_transaction_id text, p_facts jsonb, p_format text, p_language text,
    p_template_version text, p_content bytea) returns bigint
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if not duly.keep_document(p_transaction_id, p_facts) then return null; end if;
    insert into duly.document_files (transaction_id, format, language, template_version, sha256, content)
    values (p_transaction_id, p_format, p_language, p_template_version, encode(sha256(p_content), 'hex'), p_content)
    on conflict (transaction_id, format, language) do nothing;
    return (select f.id from duly.document_files f
        where (f.transaction_id, f.format, f.language) = (p_transaction_id, p_format, p_language));
end $$;

-- Set the postal address of a customer's account; false when it is so already. Empty takes it away.
create or replace function duly.set_postal_address(p_account_id text, p_address jsonb, p_actor text, p_reason text) returns boolean
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.postal_addresses;
    v_before jsonb;
begin
    perform from duly.accounts where id = p_account_id and kind = 'customer' and state <> 'terminated' for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s that is not terminated', p_account_id));
    end if;
    v_before := (select to_jsonb(d) - 'account_id' from duly.postal_addresses d where d.account_id = p_account_id);
    if p_address is null then
        delete from duly.postal_addresses where account_id = p_account_id;
    else
        a := jsonb_populate_record(null::duly.postal_addresses, p_address || jsonb_build_object('account_id', p_account_id));
        insert into duly.postal_addresses select a.* on conflict (account_id) do update set name = a.name, street = a.street,
            addition = a.addition, postal_code = a.postal_code, city = a.city, country = a.country, vat_id = a.vat_id,
            reference = a.reference;
    end if;
    if v_before is not distinct from p_address then return false; end if;
    perform duly.note_account_change(p_account_id, jsonb_build_object('postal_address',
        jsonb_build_object('was', v_before, 'is', p_address)), p_actor, p_reason);
    return true;
end $$;

-- Let a link lead to a file for some days.
create or replace function duly.note_document_link(p_file_id bigint, p_token_hash text, p_days integer) returns timestamptz
language sql security definer set search_path = duly, pg_temp as $$
    insert into duly.document_links (token_hash, file_id, expires_at)
    values (p_token_hash, p_file_id, clock_timestamp() + make_interval(days => p_days)) returning expires_at
$$;

-- The file behind a link; none for a link that is over, as for one that never was.
create or replace function duly.document_of_link(p_token_hash text)
returns table (number text, format text, language text, sha256 text, content bytea)
language sql stable security definer set search_path = duly, pg_temp as $$
    select d.facts ->> 'number', f.format, f.language, f.sha256, f.content
    from duly.document_links l join duly.document_files f on f.id = l.file_id
    join duly.documents d on d.transaction_id = f.transaction_id
    where l.token_hash = p_token_hash and l.expires_at > clock_timestamp()
$$;

-- Which documents go with a message, where the seller wants that: of a receipt the payment and the invoices that it settles, of
-- a reminder its invoice, of a refund the refund. The invoice that is mailed when it is posted, and what a template attaches, go always.
create or replace function duly.documents_of_message(p_message_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce((select array[m.parameters ->> 'transaction_id'] from duly.messages m
        where m.id = p_message_id and m.parameters ->> 'transaction_id' <> '' and (m.kind = 'invoice_posted' or m.kind = 'communication'
          and (select c.attaches_documents from duly.communications c where c.id = m.parameters ->> 'communication'))),
    (select array_agg(d.id order by d.ord, d.id) from (
        select 1 as ord, t.id from duly.messages m
        join duly.financial_transactions t on t.id = coalesce(m.parameters ->> 'payment_id', m.parameters ->> 'transaction_id')
        where m.id = p_message_id and m.kind in ('receipt', 'invoice_due', 'invoice_overdue', 'refunded')
          and t.classification in ('invoice', 'payment', 'payment_cancellation', 'refund')
        union all
        (select 2, a.debit_id from duly.messages m
        join duly.current_allocations a on a.credit_id = m.parameters ->> 'payment_id'
        join duly.financial_transactions t on t.id = a.debit_id and t.classification = 'invoice'
        where m.id = p_message_id and m.kind = 'receipt'
        -- What a mail server takes has an end: a payment of more invoices than this is a receipt that names them.
        group by a.debit_id order by a.debit_id limit 10)) d
    where exists (select from duly.sellers s where s.attaches_documents)
      and (select (duly.seller_facts(duly.merchant_of_document(d.id)) ->> 'attaches_documents')::boolean)))
$$;

-- The bill that goes with a message; null for every other message.
create or replace function duly.bill_of_message(p_message_id text) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    select m.parameters ->> 'bill_id' from duly.messages m where m.id = p_message_id and m.kind = 'bill_made'
$$;
