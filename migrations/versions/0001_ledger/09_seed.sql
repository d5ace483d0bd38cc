-- What a new ledger starts with; operators add to it and change it.

-- The active currencies of ISO 4217; models/currency.py names the source.
insert into duly.currencies (code, exponent) values
  ('AED', 2), ('AFN', 2), ('ALL', 2), ('AMD', 2), ('AOA', 2), ('ARS', 2), ('AUD', 2), ('AWG', 2), ('AZN', 2),
  ('BAM', 2), ('BBD', 2), ('BDT', 2), ('BHD', 3), ('BIF', 0), ('BMD', 2), ('BND', 2), ('BOB', 2), ('BOV', 2),
  ('BRL', 2), ('BSD', 2), ('BTN', 2), ('BWP', 2), ('BYN', 2), ('BZD', 2), ('CAD', 2), ('CDF', 2), ('CHE', 2),
  ('CHF', 2), ('CHW', 2), ('CLF', 4), ('CLP', 0), ('CNY', 2), ('COP', 2), ('COU', 2), ('CRC', 2), ('CUP', 2),
  ('CVE', 2), ('CZK', 2), ('DJF', 0), ('DKK', 2), ('DOP', 2), ('DZD', 2), ('EGP', 2), ('ERN', 2), ('ETB', 2),
  ('EUR', 2), ('FJD', 2), ('FKP', 2), ('GBP', 2), ('GEL', 2), ('GHS', 2), ('GIP', 2), ('GMD', 2), ('GNF', 0),
  ('GTQ', 2), ('GYD', 2), ('HKD', 2), ('HNL', 2), ('HTG', 2), ('HUF', 2), ('IDR', 2), ('ILS', 2), ('INR', 2),
  ('IQD', 3), ('IRR', 2), ('ISK', 0), ('JMD', 2), ('JOD', 3), ('JPY', 0), ('KES', 2), ('KGS', 2), ('KHR', 2),
  ('KMF', 0), ('KPW', 2), ('KRW', 0), ('KWD', 3), ('KYD', 2), ('KZT', 2), ('LAK', 2), ('LBP', 2), ('LKR', 2),
  ('LRD', 2), ('LSL', 2), ('LYD', 3), ('MAD', 2), ('MDL', 2), ('MGA', 2), ('MKD', 2), ('MMK', 2), ('MNT', 2),
  ('MOP', 2), ('MRU', 2), ('MUR', 2), ('MVR', 2), ('MWK', 2), ('MXN', 2), ('MXV', 2), ('MYR', 2), ('MZN', 2),
  ('NAD', 2), ('NGN', 2), ('NIO', 2), ('NOK', 2), ('NPR', 2), ('NZD', 2), ('OMR', 3), ('PAB', 2), ('PEN', 2),
  ('PGK', 2), ('PHP', 2), ('PKR', 2), ('PLN', 2), ('PYG', 0), ('QAR', 2), ('RON', 2), ('RSD', 2), ('RUB', 2),
  ('RWF', 0), ('SAR', 2), ('SBD', 2), ('SCR', 2), ('SDG', 2), ('SEK', 2), ('SGD', 2), ('SHP', 2), ('SLE', 2),
  ('SOS', 2), ('SRD', 2), ('SSP', 2), ('STN', 2), ('SVC', 2), ('SYP', 2), ('SZL', 2), ('THB', 2), ('TJS', 2),
  ('TMT', 2), ('TND', 3), ('TOP', 2), ('TRY', 2), ('TTD', 2), ('TWD', 2), ('TZS', 2), ('UAH', 2), ('UGX', 0),
  ('USD', 2), ('USN', 2), ('UYI', 0), ('UYU', 2), ('UYW', 4), ('UZS', 2), ('VED', 2), ('VES', 2), ('VND', 0),
  ('VUV', 0), ('WST', 2), ('XAD', 2), ('XAF', 0), ('XCD', 2), ('XCG', 2), ('XOF', 0), ('XPF', 0), ('YER', 2),
  ('ZAR', 2), ('ZMW', 2), ('ZWG', 2);

insert into duly.ledger_account_kinds (kind, nature, description) values
  ('receivable', 'asset', 'What a customer owes; one for each account'),
  ('suspense', 'liability', 'Money received whose account is not known yet'),
  ('written_off', 'asset', 'Invoices written off, kept for collection and analysis; one for each write-off account'),
  ('internal', 'asset', 'What the company charges to itself'),
  ('revenue', 'income', 'Sales without tax; one for each product'),
  ('vat_payable', 'liability', 'Tax charged on sales, owed to the tax office'),
  ('gateway_clearing', 'asset', 'Money at a payment gateway; one for each provider, and by currency'),
  ('gateway_fees', 'expense', 'What a payment gateway keeps for its service; one for each provider'),
  ('bank', 'asset', 'Money at the bank'),
  ('cash', 'asset', 'Cash'),
  ('other_methods', 'asset', 'Vouchers, wallets and other ways of payment; one for each method'),
  ('write_off', 'expense', 'Bad debt'),
  ('bad_debt_allowance', 'asset', 'Stands against the written-off invoices, so that they count as worth nothing'),
  ('reward_expense', 'expense', 'Rewards paid by back-end reduction; one for each merchant'),
  ('dispute_holding', 'asset', 'Money a gateway holds back while a payment is disputed; one for each provider');

insert into duly.payment_methods (id, name, ledger_account) values
  ('card', 'Card', 'bank'),
  ('bank_transfer', 'Bank transfer', 'bank'),
  ('direct_debit', 'Direct debit', 'bank'),
  ('cheque', 'Cheque', 'bank'),
  ('cash', 'Cash', 'cash'),
  ('voucher', 'Voucher', 'other_methods:voucher'),
  ('wallet', 'Wallet', 'other_methods:wallet');

insert into duly.transaction_types (id, name, classification, allowed_methods, is_default) values
  ('invoice', 'Invoice', 'invoice', null, true),
  ('credit_note', 'Credit note', 'credit_note', null, true),
  ('payment', 'Payment', 'payment',
    '{card,bank_transfer,direct_debit,cheque,cash,voucher,wallet}', true),
  ('payment_kept', 'Rest of a payment that was returned', 'payment',
    '{card,bank_transfer,direct_debit,cheque,cash,voucher,wallet}', false),
  ('refund_returned', 'Refund that came back', 'payment',
    '{card,bank_transfer,direct_debit,cheque,cash,voucher,wallet}', false),
  ('refund', 'Refund', 'refund', '{card,bank_transfer,direct_debit,cheque,cash,voucher,wallet}', true),
  ('write_off', 'Write-off', 'write_off', null, true),
  ('invoice_cancellation', 'Invoice cancellation', 'invoice_cancellation', null, true),
  ('invoice_posted_by_error', 'Invoice posted by error', 'invoice_cancellation', null, false),
  ('payment_cancellation', 'Payment cancellation', 'payment_cancellation', null, true);

insert into duly.transaction_reasons (id, name, purpose) values
  ('entered_by_error', 'Entered by error', 'rejection'),
  ('duplicate', 'Duplicate', 'rejection'),
  ('customer_changed_mind', 'The customer changed their mind', 'rejection'),
  ('declined', 'Declined', 'rejection'),
  ('item_returned', 'Item returned', 'issue'),
  ('bad_debt', 'Bad debt', 'issue');

insert into duly.products (id, name, ledger_account) values ('bad_debt', 'Bad debt', 'write_off');

insert into duly.due_date_rules (id, kind, number_of_days) values ('due_in_14_days', 'days_after', 14);

insert into duly.definitions (due_date_rule_id, write_off_product_id) values ('due_in_14_days', 'bad_debt');
