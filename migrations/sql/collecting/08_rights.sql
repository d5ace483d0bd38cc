-- The runtime role reads everything, keeps the configuration, and writes what happened only through functions.

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'duly' and has_function_privilege('public', p.oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', v_function);
    end loop;
end $$;

grant execute on function duly.open_attempt, duly.record_outcome, duly.record_unanswered, duly.open_collection,
    duly.close_collection, duly.is_owed, duly.owed_on, duly.chargeable_card, duly.freeze_payment_run, duly.due_page,
    duly.run_totals, duly.certify_run, duly.freeze_billing_run, duly.billing_page, duly.bill_members, duly.park_member, duly.unknown_attempt, duly.note_page, duly.collection_of_link, duly.record_paid_outside,
    duly.receive_events, duly.events_to_deliver, duly.note_delivery, duly.put_off_events, duly.replay_event,
    duly.note_sweep
    to duly_app;
grant execute on function duly.record_run_decisions, duly.release_members, duly.dry_run_page, duly.freeze_shadow_run,
    duly.shadow_collect, duly.shadow_differences to duly_app;
grant select on all tables in schema duly to duly_app;
-- Reading a sequence, not drawing from it: the newest transactions are found by counting down.
grant select on all sequences in schema duly to duly_app;
grant insert, update on duly.providers, duly.provider_currencies, duly.provider_methods, duly.payment_preferences,
    duly.gateway_customers, duly.cards, duly.dunning_policies, duly.run_definitions, duly.subscriptions,
    duly.card_networks to duly_app;

insert into duly.dunning_policies (id, version, document) values ('standard', 1, '{}');
