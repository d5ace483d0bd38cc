-- What is kept of a person, given out as one document, and taken away while the books stay (docs/security.md).

-- Everything that is kept under an account: its own data, changes of it, cards, customers at gateways, and the books.
create or replace function duly.account_data(p_account_id text) returns jsonb
language sql stable set search_path = duly, pg_temp as $$
    select jsonb_build_object(
        'account', to_jsonb(a),
        'changes', (select coalesce(jsonb_agg(to_jsonb(c) order by c.id), '[]') from duly.account_changes c
            where c.account_id = a.id),
        'postal_address', (select to_jsonb(d) from duly.postal_addresses d where d.account_id = a.id),
        'documents', (select coalesce(jsonb_agg(to_jsonb(d) order by d.taken_at), '[]') from duly.documents d
            join duly.financial_transactions t on t.id = d.transaction_id where t.account_id = a.id),
        'gateway_customers', (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from duly.gateway_customers g
            where g.account_id = a.id),
        'mandates', (select coalesce(jsonb_agg(to_jsonb(m) order by m.created_at), '[]') from duly.mandates m
            where m.account_id = a.id),
        'debits', (select coalesce(jsonb_agg(to_jsonb(d) order by d.created_at, d.id), '[]') from duly.debits d
            where d.account_id = a.id),
        'cards', (select coalesce(jsonb_agg(to_jsonb(c) - 'link_token' order by c.created_at), '[]') from duly.cards c
            where c.account_id = a.id),
        'subscriptions', (select coalesce(jsonb_agg(to_jsonb(s) order by s.id), '[]') from duly.subscriptions s
            where s.account_id = a.id),
        'transactions', (select coalesce(jsonb_agg(to_jsonb(t) - 'request_hash' - 'posted_xid' order by t.id), '[]')
            from duly.financial_transactions t where t.account_id = a.id),
        'wallet', (select coalesce(jsonb_agg(to_jsonb(w) - 'request_hash' - 'posted_xid' order by w.wallet_version), '[]')
            from duly.wallet_transactions w where w.account_id = a.id),
        'wallet_top_ups', (select coalesce(jsonb_agg(to_jsonb(u) order by u.requested_at), '[]') from duly.wallet_top_ups u
            where u.account_id = a.id),
        'vouchers', (select coalesce(jsonb_agg(to_jsonb(x) - 'request_hash' - 'posted_xid' order by x.posted_at, x.id), '[]')
            from duly.voucher_transactions x where x.account_id = a.id),
        'notes', (select coalesce(jsonb_agg(to_jsonb(n) order by n.id), '[]') from duly.transaction_notes n
            join duly.financial_transactions t on t.id = n.transaction_id where t.account_id = a.id),
        'payment_requests', (select coalesce(jsonb_agg(to_jsonb(q) order by q.created_at), '[]') from duly.payment_requests q
            where q.account_id = a.id),
        'attachments', (select coalesce(jsonb_agg(to_jsonb(f) - 'content' - 'hash' order by f.request_id, f.place), '[]')
            from duly.request_attachments f join duly.payment_requests q on q.id = f.request_id where q.account_id = a.id),
        'requests', (select coalesce(jsonb_agg(to_jsonb(r) order by r.created_at, r.id), '[]') from duly.gateway_requests r
            where r.account_id = a.id),
        'bills', (select coalesce(jsonb_agg(to_jsonb(b) order by b.id), '[]') from duly.account_bills b where b.account_id = a.id),
        'reductions', (select coalesce(jsonb_agg(to_jsonb(x) order by x.award_id), '[]') from duly.reductions x
            where x.account_id = a.id),
        'messages', (select coalesce(jsonb_agg(to_jsonb(m) order by m.created_at), '[]') from duly.messages m
            where m.account_id = a.id and m.audience = 'customer'),
        'mail_stops', (select coalesce(jsonb_agg(to_jsonb(k) - 'address_hash' order by k.since), '[]') from duly.mail_stops k
            where k.account_id = a.id),
        'portal_sessions', (select coalesce(jsonb_agg(to_jsonb(s) - 'token_hash' order by s.started_at), '[]')
            from duly.portal_sessions s where s.account_id = a.id),
        'disputes', (select coalesce(jsonb_agg(to_jsonb(d) order by d.opened_at), '[]') from duly.disputes d
            where d.account_id = a.id))
    from duly.accounts a where a.id = p_account_id and a.kind = 'customer'
$$;

-- Take a person's data away: name, addresses, what was changed of them, and what cards were that are removed. The books
-- keep the account's id. Returns the customers at gateways, whom only the gateway can delete. A repeat changes nothing.
create or replace function duly.erase_account(p_account_id text, p_actor text, p_reason text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.accounts;
begin
    select * into a from duly.accounts where id = p_account_id and kind = 'customer' for no key update;
    if not found then
        perform duly.refuse('account_exists', format('account: there is no customer account %s', p_account_id));
    elsif a.state <> 'terminated' then
        perform duly.refuse('account_terminated_first', format('account: %s is %s; terminate it first', a.id, a.state));
    elsif exists (select from duly.cards where account_id = a.id and state not in ('removed', 'rejected', 'replaced')) then
        perform duly.refuse('cards_removed_first', format('account: %s has cards; remove them first', a.id));
    elsif exists (select from duly.mandates where account_id = a.id and state <> 'cancelled' and state <> 'expired') then
        perform duly.refuse('mandates_cancelled_first', format('account: %s has a mandate; cancel it first', a.id));
    elsif exists (select from duly.messages where account_id = a.id and audience = 'customer'
            and state in ('pending', 'sending')) then
        perform duly.refuse('messages_sent_first', format('account: a message to %s is not sent yet', a.id));
    elsif exists (select from duly.payment_requests where account_id = a.id and closed_at is null) then
        perform duly.refuse('requests_ended_first', format('account: %s is asked for a payment by a link; withdraw it first', a.id));
    end if;
    if a.owner_name <> '(erased)' or exists (select from duly.account_changes where account_id = a.id
            and changes <> '{"erased": true}') then
        update duly.accounts set owner_name = '(erased)', owner_reference = null, email = null, locale = 'en',
            time_zone = 'UTC', region = null, segment = null, classification = null where id = a.id;
        update duly.account_changes set changes = '{"erased": true}' where account_id = a.id;
        update duly.cards set brand = '', last4 = '', exp_month = null, exp_year = null, fingerprint = '', token = null
            where account_id = a.id and state in ('removed', 'rejected');
        update duly.cards set fingerprint = '' where account_id = a.id and fingerprint <> '';
        perform duly.note_account_change(a.id, '{"erased": true}', p_actor, p_reason);
    end if;
    update duly.mandates set payer_name = '(erased)', iban = '', bic = '' where account_id = a.id and iban <> '';
    update duly.debits set written = written || '{"payer": "(erased)", "iban": "", "bic": ""}'
    where account_id = a.id and coalesce(written ->> 'iban', '') <> '';
    delete from duly.postal_addresses where account_id = a.id;
    delete from duly.document_links l using duly.document_files f, duly.financial_transactions t
    where f.id = l.file_id and t.id = f.transaction_id and t.account_id = a.id;
    delete from duly.portal_links where account_id = a.id;
    delete from duly.mail_stops where account_id = a.id;
    delete from duly.opt_out_links where account_id = a.id;
    delete from duly.portal_sessions where account_id = a.id;
    -- What staff named a view of one person's documents is often that person's name.
    delete from duly.saved_views where filters ->> 'account' = a.id;
    delete from duly.request_links l using duly.payment_requests q where q.id = l.request_id and q.account_id = a.id;
    delete from duly.request_attachments f using duly.payment_requests q where q.id = f.request_id and q.account_id = a.id;
    update duly.payment_requests set title = '(erased)', description = '', sender_email = '', payers = '{}'
    where account_id = a.id and title <> '(erased)';
    return (select coalesce(jsonb_agg(customer_reference order by customer_reference), '[]')
        from duly.gateway_customers where account_id = a.id);
end $$;
