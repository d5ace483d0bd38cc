-- Rows for the lists: no company's, only as many. Triggers and foreign keys are off meanwhile; `n` counts.

insert into duly.accounts (id, kind, owner_name, currency, created_at)
    select 'a' || n, 'customer', 'A. Customer', 'EUR', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.providers (id, gateway, mode) values ('stripe', 'stripe', 'test') on conflict do nothing;
insert into duly.products (id, name, ledger_account) values ('plan', 'Plan', 'revenue:plan');
insert into duly.payment_preferences (id, account_id, payment_method_id, is_default)
    select 'p' || n, 'a' || n, 'card', true
    from generate_series(1, :accounts) n;
insert into duly.cards (id, account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year,
        is_recurring, fallback_order, state, created_at)
    select 'c' || n, 'a' || n, 'p' || n, 'stripe', 't' || n, 'visa', '4242', 12, 2034, true, 1, 'active',
        now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, billing_day, starts_on)
    select 's' || n, 'a' || n, 'plan', 999, 'EUR', 1, '2026-01-01'
    from generate_series(1, :accounts) n;
insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,
        amount_minor, invoices, opened_at)
    select 'a' || n, '2026-10', 'stripe', 'bench', 'standard', 1, 'EUR', 999, '{}',
        now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.gateway_events (id, provider_id, type, subject, object_id, state, created_at, next_try_at)
    select 'evt_' || n, 'stripe', 'charge.succeeded', 'payment', 'pi_' || n, 'waiting',
        now() - n * interval '1 second', now()
    from generate_series(1, :accounts) n;
insert into duly.messages (id, kind, account_id, state, created_at)
    select 'receipt/' || n, 'receipt', 'a' || n, 'failed', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.gateway_requests (id, kind, provider_id, account_id, period, card_id, amount_minor, currency,
        state, gateway_reference, created_at, executed_at)
    select 'r' || n, 'payment', 'stripe', 'a' || 1 + n % :accounts, 'p' || n, 'c' || 1 + n % :accounts, 999,
        'EUR', 'posted', 'pi_' || n, now() - n * interval '1 second', now() from generate_series(1, :payments) n;
insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token, customer,
        payment_id, amount_minor, outcome, gateway_reference, finished_at)
    select 'r' || n, 1, 'k' || n, 'scheduled', 'c' || 1 + n % :accounts, 't', 'u', 'i' || n, 999, 'succeeded',
        'pi_' || n, now() from generate_series(1, :payments) n;

-- A transaction of each kind that a list has, and what waits, moves, is disputed, promised or done around them.

insert into duly.account_balances (account_id, balance_minor) select 'a' || n, 999 from generate_series(1, :accounts) n
    on conflict do nothing;
insert into duly.financial_transactions (id, idempotency_key, request_hash, classification, type_id,
        account_id, currency, total_minor, state, issued_on, posted_on, posted_at, due_on, method, origin, actor, created_at)
    select 'ft_' || n, 'k' || n, '\x00', case n % 2 when 0 then 'invoice' else 'payment' end::duly.classification,
        case n % 2 when 0 then 'invoice' else 'payment' end,
        case when n % 100 = 1 then 'waiting' else 'a' || 1 + n % :accounts end, 'EUR', 999, 'posted', '2026-10-01',
        '2026-10-01', now() - (:payments - n) * interval '1 second', '2026-10-15', case n % 2 when 1 then 'card' end,
        'system', 'bench', now() - (:payments - n) * interval '1 second' from generate_series(1, :payments) n;
insert into duly.transaction_numbers (transaction_id, number)
    select 'ft_' || n, 'N' || n from generate_series(1, :payments) n;
insert into duly.open_items (transaction_id, account_id, side, sort_on, account_version, amount_minor, allocated_minor)
    select t.id, t.account_id, case t.classification when 'invoice' then 'debit' else 'credit' end::duly.side, '2026-10-01', 1,
        999, case when t.account_id = 'waiting' then 0 else 999 end from duly.financial_transactions t;
select setval('duly.financial_transaction_ids', :payments);
insert into duly.accounts (id, kind, owner_name, currency) values ('waiting', 'suspense', 'Suspense', 'EUR');
insert into duly.gateway_requests (id, kind, provider_id, account_id, of_request_id, amount_minor, currency, state, created_at, executed_at)
    select 'rf' || n, 'refund', 'stripe', 'a' || n, 'r' || n, 9, 'EUR', 'posted', now() - n * interval '1 second', now()
    from generate_series(1, :accounts) n;
insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status, opened_at)
    select 'dp_' || n, 'stripe', 'r' || n, 'a' || n, 9, 'EUR', 'open', 'needs_response', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.discrepancies (id, provider_id, kind, object, amount_minor, currency, state, first_seen_at)
    select 'd' || n, 'stripe', 'missing_in_ledger', 'o' || n, 9, 'EUR', 'open', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.gateway_expectations (provider_id, object, kind, account_id, payment_id, amount_minor, currency, due_at,
        overdue_at, expected_at)
    select 'stripe', 'ch_' || n, 'charge', 'a' || 1 + n % :accounts, 'ft_' || n, 9, 'EUR', now() + interval '1 day',
        now() + interval '2 days', now() - n * interval '1 second' from generate_series(1, :payments) n;
insert into duly.commands (id, name, actor, outcome, given_at, ended_at)
    overriding system value select n, 'runs start', 'bench', 'done', now() - (:accounts - n) * interval '1 second', now()
    from generate_series(1, :accounts) n;
insert into duly.approvals (id, action, kind, subject, account_id, amount_minor, currency, fields, asked_by, asked_because,
        asked_at, expires_at)
    select 'apv_' || md5(n::text), 'refund', 'refund', 's', 'a' || n, 9, 'EUR', '{}', 'bench', 'bench', now() - n * interval '1 second',
        now() + interval '1 day' from generate_series(1, :accounts) n;
insert into duly.reductions (award_id, merchant_id, account_id, amount_minor, currency, settings, state, awarded_at)
    select 'aw' || n, 'm', 'a' || n, 9, 'EUR', '{}', 'awarded', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.payment_requests (id, account_id, period, provider_id, title, currency, invoices, asked_minor, amount_minor, valid_days,
        sender, created_at, expires_at)
    select 'pr' || n, 'a' || n, 'q' || n, 'stripe', 't', 'EUR', '{}', 9, 9, 14, 'bench', now() - n * interval '1 second',
        now() + interval '1 day' from generate_series(1, :accounts) n;
insert into duly.mandates (id, account_id, provider_id, preference_id, payer_name, iban, state, signed_on, created_at)
    select 'md' || n, 'a' || n, 'stripe', 'p' || n, 'P', 'DE02120300000000202051', 'active', '2026-01-01', now() - n * interval '1 second'
    from generate_series(1, :accounts) n;
insert into duly.debits (id, request_id, attempt, idempotency_key, provider_id, mandate_id, account_id, amount_minor, currency,
        collect_on, created_at)
    select 'db' || n, 'r' || n, 1, 'kd' || n, 'stripe', 'md' || n, 'a' || n, 9, 'EUR', '2026-10-01',
        now() - n * interval '1 second' from generate_series(1, :accounts) n;
insert into duly.voucher_batches (id, type_id, currency, amount_minor, vouchers, issued_at)
    select 'vb_' || n, 'gift', 'EUR', 9, 100, now() - n * interval '1 second'
    from generate_series(1, :accounts / 100) n;
insert into duly.vouchers (id, batch_id, code_hash)
    select 'vch_' || n, 'vb_' || 1 + n / 101, md5(n::text) || md5(n::text) from generate_series(1, :accounts) n;
insert into duly.sign_ins (user_id, outcome, method, tried_at)
    select 'bench', 'signed_in', 'password', now() - n * interval '1 second' from generate_series(1, :accounts) n;
insert into duly.process_runs (id, kind, definition_id, period, started_at)
    select 'run/daily/' || d, 'payment', 'daily', d, now() - n * interval '1 day'
    from generate_series(1, 5000) n, to_char(date '2030-01-01' - n, 'YYYY-MM-DD') d;
insert into duly.charge_blocks (kind, value, blocked_by, blocked_because, blocked_at)
    select 'account', 'b' || n, 'bench', 'bench', now() - n * interval '1 second' from generate_series(1, :accounts) n;
insert into duly.charge_holds (account_id, period, amount_minor, currency, provider_id, rule_id, because, held_at, released_at)
    select 'a' || n, '2026-10', 999, 'EUR', 'stripe', 'large', 'above', now() - n * interval '1 second',
        case when n % 100 > 0 then now() end from generate_series(1, :accounts) n;
insert into duly.communications (id, template_id, texts, attaches_documents, asked, counts, actor, reason, created_at)
    select 'co' || n, 'offer', '{}', false, '{"segment": "all", "transactions": []}', '{"chosen": 1, "written": 1}', 'bench', 'bench',
        now() - n * interval '1 second' from generate_series(1, :accounts / 100) n;
