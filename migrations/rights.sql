-- Who may do what; applied after the functions by every migrate, so that what is left out here is taken away.
-- The runtime role reads, keeps the configuration, and writes money and what happened through the functions named here and
-- no other way. Money refers to the configuration's rows by value, so it may change.

do $$ begin
    if not exists (select from pg_roles where rolname = 'duly_app') then
        create role duly_app nologin;
    end if;
exception when duplicate_object then null;
end $$;

-- PostgreSQL lets everybody execute a new function: these defaults belong to the role that runs this, the owner.
alter default privileges revoke execute on functions from public;
revoke all on all routines in schema duly from public, duly_app;
revoke all on all tables in schema duly from public, duly_app;
revoke all on all sequences in schema duly from public, duly_app;
revoke all on schema duly from public, duly_app;

grant usage on schema duly to duly_app;
grant select on all tables in schema duly to duly_app;
-- Reading a sequence, not drawing from it: the newest transactions are found by counting down.
grant select on all sequences in schema duly to duly_app;

-- Configuration.
grant insert, update on duly.tax_rates, duly.products, duly.payment_methods, duly.transaction_types,
    duly.transaction_reasons, duly.due_date_rules, duly.wallet_transaction_types,
    duly.voucher_types to duly_app;
grant insert, update on duly.wallet_limits, duly.wallet_top_up_rules to duly_app;
grant update on duly.definitions to duly_app;
-- A series keeps its kind for good.
grant insert on duly.number_series to duly_app;
grant update (owner_name, owner_reference, email, locale, time_zone, credit_limit_minor, credit_period_days,
    due_date_rule_id, region, segment, classification) on duly.accounts to duly_app;
grant insert, update on duly.card_rules to duly_app;
grant insert, update on duly.sellers to duly_app;
grant insert, update on duly.creditors, duly.statement_layouts to duly_app;
grant insert, update on duly.alert_rules to duly_app;
grant insert, update on duly.refund_rules to duly_app;
grant insert, update on duly.charge_rules to duly_app;
grant insert, update on duly.segments, duly.message_templates, duly.message_rules to duly_app;
grant insert, update on duly.approval_rules to duly_app;
-- A new version is a new row.
grant insert on duly.reminder_rules, duly.dunning_policies to duly_app;
-- Whose account a provider's requests go to is fixed by duly.assign_provider.
grant insert (id, gateway, mode, state, application_fee), update (gateway, mode, state, application_fee) on duly.providers to duly_app;
grant insert, update on duly.provider_currencies, duly.provider_methods, duly.run_definitions,
    duly.card_networks to duly_app;
-- Whose a card is, its token and its state are changed by functions alone. These are what the import of release 0.1.0 writes
-- by itself; they go when it cannot run any more (decision 0114). Today's calls duly.import_cards.
grant insert (account_id, payment_method_id, is_default) on duly.payment_preferences to duly_app;
grant insert (provider_id, account_id, customer_reference) on duly.gateway_customers to duly_app;
grant insert (account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year, is_recurring, fallback_order)
    on duly.cards to duly_app;
grant update (brand, last4, exp_month, exp_year, is_recurring, fallback_order) on duly.cards to duly_app;
grant insert (id, account_id, product_id, price_minor, currency, quantity, billing_day, starts_on, ends_on),
    update (product_id, price_minor, quantity, billing_day, starts_on, ends_on) on duly.subscriptions to duly_app;

-- Functions, by room: what the code and the releases before it call, and nothing else (tests/stack/test_rights.py derives
-- it).
-- bank
grant execute on function duly.adopt_debit, duly.alert_overdue_debits, duly.amend_mandate, duly.announce_debits, duly.batch_debits, duly.cancel_mandate, duly.count_unannounced_debits, duly.create_mandate,
    duly.creditor_of, duly.debit_of_attempt, duly.debit_terms, duly.debits_to_announce, duly.note_batch_sent, duly.receive_debits, duly.refuse_debit, duly.refuse_debits_of,
    duly.release_approved_file, duly.release_bank_file, duly.request_debit, duly.sign_mandate to duly_app;

-- books
grant execute on function duly.bill_limit, duly.close_books, duly.history_of, duly.make_bill, duly.make_bills_of_run, duly.pay_bill, duly.permit_any_day, duly.present_bill, duly.reopen_books, duly.set_any_day_right, duly.tax_currency_of, duly.unsettled_of_bill to duly_app;

-- cards
grant execute on function duly.card_of_link, duly.card_view, duly.change_card, duly.import_cards, duly.note_customer,
    duly.open_validation, duly.record_validation, duly.refresh_card, duly.register_card,
    duly.note_fingerprint, duly.notify_card to duly_app;

-- collections
grant execute on function duly.chargeable_card, duly.close_collection, duly.free_name, duly.is_owed, duly.open_collection,
    duly.open_next_part, duly.stopped_pages, duly.write_off_given_up to duly_app;

-- configuration
grant execute on function duly.configuration_conflicts, duly.conflicts_of_catalogue, duly.conflicts_of_prepayment, duly.conflicts_of_rules,
    duly.configuration_user, duly.has_money, duly.keep_configuration_version,
    duly.segment_accounts, duly.segment_accounts_behind, duly.segment_totals, duly.segment_transactions, duly.take_away_configuration to duly_app;

-- console
grant execute on function duly.add_passkey, duly.add_user, duly.ask_approval, duly.ask_limits, duly.ask_to_give, duly.ask_user, duly.require_alone, duly.assign_collection, duly.begin_form, duly.begin_mass_action, duly.begin_passkey, duly.change_user, duly.check_as_committed, duly.close_mass_action, duly.delete_view,
    duly.decide_approval, duly.end_approval, duly.end_form, duly.end_mass_item, duly.end_session, duly.is_fresh_session, duly.limit_alone, duly.note_sign_in,
    duly.remove_passkey, duly.rename_view, duly.save_view, duly.start_session, duly.stop_mass_action, duly.take_over_mass_action, duly.take_passkey_challenge, duly.use_passkey, duly.user_of_open_page,
    duly.user_of_session to duly_app;

-- portal
grant execute on function duly.ask_portal_link, duly.customer_of_session, duly.end_portal_session, duly.end_portal_sessions,
    duly.note_portal_link, duly.start_portal_session to duly_app;

-- disputes
grant execute on function duly.note_on_dispute, duly.record_dispute, duly.notify_of_dispute, duly.require_alone_to_accept to duly_app;

-- printouts
grant execute on function duly.bill_facts, duly.document_facts, duly.document_of_link, duly.documents_of_message, duly.bill_of_message, duly.kept_document, duly.keep_document_file,
    duly.note_document_link, duly.set_postal_address, duly.statement_parties to duly_app;

-- events
grant execute on function duly.events_due, duly.events_to_deliver, duly.note_delivery, duly.note_sweep, duly.put_off_events,
    duly.receive_events, duly.replay_event to duly_app;

-- gateway
grant execute on function duly.alert_overdue_movements, duly.book_movement, duly.book_movements, duly.collection_of_link,
    duly.expect_of_older_release, duly.movements_wanted, duly.note_charge, duly.note_movements_read, duly.open_attempt,
    duly.put_off_expectation, duly.record_outcome, duly.record_page,
    duly.record_paid_outside, duly.record_unanswered, duly.unknown_attempt to duly_app;

-- imports
grant execute on function duly.account_data, duly.change_account_state, duly.erase_account, duly.create_account, duly.edit_account, duly.import_exchange_rates, duly.import_subscriptions, duly.in_other_currency, duly.missing_exchange_rates to duly_app;

-- ledger
grant execute on function duly.add_note, duly.fill_roll_ups, duly.mark_roll_up, duly.cancel_invoice, duly.cancel_payment, duly.control_account,
    duly.create_credit_note, duly.create_invoice, duly.create_payment, duly.create_refund, duly.edit_draft, duly.ledger_account_of, duly.move_to_account,
    duly.open_account, duly.post_draft, duly.quick_pay, duly.reject_draft, duly.seal_of, duly.set_account_state,
    duly.side_of, duly.trial_balance, duly.unsettled_invoices, duly.write_off to duly_app;

-- messages
grant execute on function duly.alert_of_fraud, duly.alert_of_members, duly.alert_of_run, duly.allow_mail, duly.choice_of_link, duly.choose_by_link, duly.claim_message,
    duly.communicate, duly.communication_basis, duly.communication_facts, duly.communication_recipients, duly.note_bounce, duly.note_message, duly.note_returned_mail, duly.note_opt_out_link, duly.stop_mail,
    duly.notify, duly.reminders_at, duly.resend_message, duly.withhold_messages, duly.write_reminders to duly_app;

-- reconciliation
grant execute on function duly.alert_of_discrepancies, duly.alert_of_violations, duly.certify_reconciliation, duly.check_payout_lines, duly.clearing_balances, duly.end_payout,
    duly.confirm_movement, duly.confirm_object, duly.check_fee, duly.unexplained_fee_refunds, duly.match_movements, duly.missing_candidates, duly.note_discrepancy, duly.note_missing,
    duly.note_refused, duly.note_window, duly.open_candidates, duly.receive_payout, duly.resolve_discrepancy, duly.start_reconciliation, duly.store_movements, duly.store_payout,
    duly.store_window, duly.unfinished_payouts, duly.unknown_objects, duly.window_cursor to duly_app;

-- merchants
grant execute on function duly.assign_payer, duly.assign_provider, duly.brand_of_merchant, duly.disconnect_merchant, duly.merchant_accounts_unknown, duly.merchant_connection_by_id, duly.merchant_of_link, duly.note_merchant_account, duly.note_move_refused, duly.note_move_unanswered, duly.owed_to_merchant, duly.put_off_transfers, duly.record_transfers, duly.release_payer, duly.transfers_to_settle, duly.why_not_connected, duly.why_not_effective,
    duly.note_owner_returned, duly.open_merchant_connection, duly.reconnect_merchant, duly.record_merchant_standing,
    duly.require_reconnectable, duly.switch_merchant_payments to duly_app;

-- payments
grant execute on function duly.block_charges, duly.release_hold, duly.unblock_charges, duly.create_payment_request, duly.end_payment_request, duly.give_request_link,
    duly.keep_provider_lists, duly.attach_to_request, duly.attachment_names, duly.attachment_of_link, duly.note_card_payment, duly.note_page_order, duly.note_request_link, duly.note_request_processing, duly.order_payment, duly.payer_of_request, duly.payment_request_by_id,
    duly.payment_request_of_link, duly.send_payment_request, duly.set_preferred_method to duly_app;

-- recovery
grant execute on function duly.changed_objects, duly.counted, duly.declare_restore, duly.dismiss_restore, duly.fence_state, duly.hold_sending, duly.keys_to_adopt,
    duly.keys_without_row, duly.note_clocks, duly.why_not_dated, duly.note_compared, duly.note_remembered, duly.note_temporal_forgot, duly.note_witness, duly.raise_beat, duly.record_recovery_read,
    duly.recover_attempt, duly.recover_refund, duly.recovery_view, duly.release_sending, duly.require_sending,
    duly.settle_recovery_left, duly.withhold_recovered to duly_app;

-- reductions
grant execute on function duly.apply_merchants, duly.claw_back_reduction, duly.close_reduction,
    duly.credit_reduction, duly.open_reduction, duly.plan_reduction, duly.reduction_settings, duly.reduction_view,
    duly.reductions_of_payment to duly_app;

-- refunds
grant execute on function duly.adopt_bank_refund, duly.ask_for_bank_release, duly.credit_basis, duly.decide_bank_refunds, duly.is_refund_overtaken, duly.draft_bank_refunds,
    duly.drop_refund_credit, duly.move_refund_credit, duly.open_bank_refunds, duly.open_refund, duly.plan_refund_credit, duly.promotional_credit,
    duly.record_refund, duly.refund_view, duly.require_no_missing_refund_file, duly.standing_payment to duly_app;

-- reports
grant execute on function duly.billed_and_collected, duly.keep_mrr, duly.keep_report, duly.kept_report, duly.ledger_movement,
    duly.at_risk, duly.remove_report_schedule, duly.report_ageing, duly.report_at_risk, duly.report_trial_balance, duly.set_report_schedule to duly_app;

-- runs
grant execute on function duly.bill_by_day, duly.bill_members, duly.billed_totals, duly.billing_dry_run_page, duly.billing_page,
    duly.certify_refund_run, duly.certify_run, duly.delete_definition, duly.dry_run_page, duly.due_page, duly.freeze_billing_run,
    duly.freeze_payment_run, duly.freeze_refund_run, duly.freeze_shadow_run, duly.month_totals, duly.park_member,
    duly.progress_of_shards, duly.record_run_decisions, duly.refund_page, duly.refund_run_members, duly.refund_run_totals, duly.release_members, duly.run_totals, duly.shadow_collect, duly.steer_run,
    duly.shadow_differences, duly.subscriptions_to_bill to duly_app;

-- subscriptions
grant execute on function duly.change_subscription, duly.create_subscription, duly.subscription_of,
    duly.subscription_standing, duly.subscription_state to duly_app;

-- supervision
grant execute on function duly.begin_command, duly.commands_to_log, duly.end_command, duly.next_steps_after, duly.note_resumptions, duly.note_stop, duly.note_stops, duly.open_objects to duly_app;

-- vouchers
grant execute on function duly.cancel_vouchers, duly.expire_vouchers, duly.issue_vouchers, duly.redeem_voucher to duly_app;

-- wallets
grant execute on function duly.choose_top_up, duly.expire_wallets, duly.pay_services, duly.wallet_balance, duly.wallet_credit, duly.wallet_credits, duly.wallet_debit,
    duly.wallet_void to duly_app;
