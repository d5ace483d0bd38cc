-- A page of which the gateway first said that it was closed may be paid all the same: that money is booked, and kept or given back.
alter table duly.refund_rules
    add column late_payments text not null default 'keep' check (late_payments in ('keep', 'refund'));

comment on column duly.refund_rules.late_payments is
    'What becomes of money that comes for a payment request that is over: it is kept on the account, or refunded by itself.';
