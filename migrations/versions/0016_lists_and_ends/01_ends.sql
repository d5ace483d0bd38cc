-- A subscription that ends on its first day never begins: it is called off before.
alter table duly.subscriptions drop constraint subscriptions_check;
alter table duly.subscriptions add constraint ends_not_before_it_begins check (ends_on >= starts_on) not valid;
alter table duly.subscriptions validate constraint ends_not_before_it_begins;
