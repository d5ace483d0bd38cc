-- Every table of the configuration. Who and why come with the session of a command. The body stands in functions/configuration/changes.sql too.
create function duly.keep_configuration_change() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
declare
    v_was jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
    v_is jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
    v_row jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
    v_id text := case tg_argv[1] when '' then tg_argv[0] else v_row ->> tg_argv[1] end;
    v_changes jsonb;
begin
    -- A version is a row of its own: what it changes is what the version before it said otherwise.
    if tg_table_name = 'dunning_policies' then
        select to_jsonb(p) into v_was from duly.dunning_policies p
        where p.id = new.id and p.segment = new.segment and p.version < new.version order by p.version desc limit 1;
        v_was := coalesce((v_was - 'document') || (v_was -> 'document'), '{}');
        v_is := (v_is - 'document') || (v_is -> 'document');
        v_id := v_id || case new.segment when '' then '' else '/' || new.segment end;
    elsif tg_table_name = 'reminder_rules' and tg_op = 'INSERT' then
        select to_jsonb(r) into v_was from duly.reminder_rules r
        where r.segment = new.segment and r.version < new.version order by r.version desc limit 1;
        v_was := coalesce(v_was, '{}');
    end if;
    if tg_nargs > 2 then
        -- A row that is a part of something: by its name, or, where it holds nothing else, by whose part it is.
        select jsonb_object_agg(tg_argv[2] || '.' || (v_row ->> tg_argv[3]), jsonb_build_object('was', v_was -> x.key, 'is', v_is -> x.key))
        into v_changes
        from (select coalesce(min(k) filter (where k not in (tg_argv[1], tg_argv[3])), tg_argv[1]) as key from jsonb_object_keys(v_row) k) x
        where v_was -> x.key is distinct from v_is -> x.key;
    else
        select jsonb_object_agg(n.key, jsonb_build_object('was', v_was -> n.key, 'is', v_is -> n.key)) into v_changes
        from jsonb_object_keys(v_was || v_is) n (key)
        where n.key not in ('created_at', 'is_only') and v_was -> n.key is distinct from v_is -> n.key;
    end if;
    if v_changes is not null then
        insert into duly.definition_changes (definition_id, kind, changes, actor, reason, version)
        values (v_id, tg_argv[0], v_changes, coalesce(current_setting('duly.actor', true), ''),
            coalesce(current_setting('duly.reason', true), ''), nullif(current_setting('duly.configuration_version', true), '')::integer);
    end if;
    return null;
end $$;

-- The document's name of the table, the column that names a row; of parts of a row the part's name and its column too.
drop trigger definition_changes on duly.run_definitions;

create trigger definition_changes after insert or update on duly.run_definitions
    for each row execute function duly.keep_configuration_change('run_definitions', 'id');

create trigger definition_changes after insert or update on duly.tax_rates
    for each row execute function duly.keep_configuration_change('tax_rates', 'id');

create trigger definition_changes after insert or update on duly.products
    for each row execute function duly.keep_configuration_change('products', 'id');

create trigger definition_changes after insert or update on duly.payment_methods
    for each row execute function duly.keep_configuration_change('payment_methods', 'id');

create trigger definition_changes after insert or update on duly.transaction_types
    for each row execute function duly.keep_configuration_change('transaction_types', 'id');

create trigger definition_changes after insert or update on duly.transaction_reasons
    for each row execute function duly.keep_configuration_change('transaction_reasons', 'id');

create trigger definition_changes after insert or update on duly.due_date_rules
    for each row execute function duly.keep_configuration_change('due_date_rules', 'id');

create trigger definition_changes after insert or update on duly.definitions
    for each row execute function duly.keep_configuration_change('ledger', '');

create trigger definition_changes after insert or update on duly.card_rules
    for each row execute function duly.keep_configuration_change('card_rules', '');

create trigger definition_changes after insert or update or delete on duly.card_networks
    for each row execute function duly.keep_configuration_change('card_networks', 'brand');

create trigger definition_changes after insert or update on duly.alert_rules
    for each row execute function duly.keep_configuration_change('alert_rules', '');

create trigger definition_changes after insert or update on duly.refund_rules
    for each row execute function duly.keep_configuration_change('refund_rules', '');

create trigger definition_changes after insert or update or delete on duly.reminder_rules
    for each row execute function duly.keep_configuration_change('reminder_rules', 'segment');

create trigger definition_changes after insert or update on duly.dunning_policies
    for each row execute function duly.keep_configuration_change('dunning_policies', 'id');

create trigger definition_changes after insert or update on duly.providers
    for each row execute function duly.keep_configuration_change('providers', 'id');

create trigger definition_changes after insert or update or delete on duly.provider_currencies
    for each row execute function duly.keep_configuration_change('providers', 'provider_id', 'currencies', 'currency');

create trigger definition_changes after insert or update or delete on duly.provider_methods
    for each row execute function duly.keep_configuration_change('providers', 'provider_id', 'payment_methods', 'payment_method_id');

-- Of accounts those that are configured: what the company charges to itself.
create trigger definition_changes after insert or update on duly.accounts
    for each row when (new.kind = 'internal') execute function duly.keep_configuration_change('internal_accounts', 'id');

drop function duly.keep_definition_change();
