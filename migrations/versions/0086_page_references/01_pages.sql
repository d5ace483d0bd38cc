-- The gateway's id of the page that an attempt opened. Null: no page, or one that was paid before this. It stays when the payment's id
-- takes its place as the reference of the attempt.
alter table duly.gateway_attempts add column page_reference text;

update duly.gateway_attempts set page_reference = gateway_reference where channel = 'hosted_page' and gateway_reference like 'cs\_%';

create index attempts_by_page on duly.gateway_attempts (page_reference) where page_reference is not null;
