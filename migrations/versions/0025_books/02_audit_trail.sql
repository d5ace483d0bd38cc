-- Who has changed what: edits of drafts, states of accounts, and the configuration. Written in the commit of the change, by triggers
-- and functions of the owner: the runtime role can neither write nor change a row.

create table duly.audit_trail (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('transaction', 'account', 'configuration')),
    subject text collate "C" not null check (subject <> ''),
    action text not null check (action in ('created', 'edited', 'posted', 'rejected', 'deleted')),
    -- Who said that he does it, and the database's user, which nobody can say.
    actor text not null,
    reason text not null,
    made_by name not null default session_user,
    changes jsonb not null,
    made_at timestamptz not null default clock_timestamp()
);

create index audit_trail_by_subject on duly.audit_trail (subject, id);

comment on table duly.audit_trail is
    'Each edit of a draft, each state of an account and each change of the configuration: by whom, why, and what it was before.';

create trigger append_only before update or delete on duly.audit_trail
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.audit_trail
    for each statement execute function duly.refuse_change();

-- Who posted a draft; of what was posted when it was created, that is its actor.
alter table duly.financial_transactions add column posted_by text;

create function duly.keep_configuration_change() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    v_was jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
    v_is jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
    v_row jsonb := case when tg_op = 'DELETE' then v_was else v_is end;
    v_changes jsonb;
begin
    select jsonb_object_agg(k.key, jsonb_build_object('was', v_was -> k.key, 'is', v_is -> k.key)) into v_changes
    from jsonb_object_keys(v_was || v_is) k (key) where v_was -> k.key is distinct from v_is -> k.key;
    if v_changes is not null then
        insert into duly.audit_trail (kind, subject, action, actor, reason, changes)
        values ('configuration', concat_ws(' ', tg_table_name, v_row ->> 'id', v_row ->> 'prefix', v_row ->> 'provider_id',
                v_row ->> 'payment_method_id', v_row ->> 'currency', v_row ->> 'version'),
            case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'edited' else 'deleted' end,
            coalesce(nullif(current_setting('duly.actor', true), ''), session_user),
            coalesce(current_setting('duly.reason', true), ''), v_changes);
    end if;
    return null;
end $$;

create function duly.keep_account_state() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
begin
    insert into duly.audit_trail (kind, subject, action, actor, reason, changes)
    values ('account', new.id, 'edited', coalesce(nullif(current_setting('duly.actor', true), ''), session_user),
        coalesce(current_setting('duly.reason', true), ''),
        jsonb_build_object('state', jsonb_build_object('was', old.state, 'is', new.state)));
    return null;
end $$;

do $$
declare
    t text;
begin
    foreach t in array array['tax_rates', 'products', 'payment_methods', 'transaction_types', 'transaction_reasons', 'due_date_rules',
        'definitions', 'number_series', 'card_rules', 'alert_rules', 'refund_rules', 'reminder_rules', 'dunning_policies',
        'providers', 'provider_currencies', 'provider_methods', 'card_networks'] loop
        execute format('create trigger keep_change after insert or update or delete on duly.%I
            for each row execute function duly.keep_configuration_change()', t);
    end loop;
end $$;

create trigger keep_state after update of state on duly.accounts
    for each row when (old.state is distinct from new.state) execute function duly.keep_account_state();
