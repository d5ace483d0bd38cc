-- The amount of a request may be the payer's to choose, on account. What was asked for is then what is suggested, and
-- `amount_minor` what was chosen last: a page asks for it, and once it is paid it is what was paid.

alter table duly.payment_requests add column least_minor bigint, add column most_minor bigint;

alter table duly.payment_requests add constraint payment_requests_limits check ((least_minor is null) = (most_minor is null)
    and (most_minor is null or (0 < least_minor and least_minor <= most_minor and cardinality(invoices) = 0)));

alter table duly.payment_requests drop constraint payment_requests_check;

alter table duly.payment_requests add constraint payment_requests_something_asked
    check (asked_minor is not null or most_minor is not null or cardinality(invoices) > 0);
