-- What people of a role do alone in a day: by role and kind, in minor units by currency. What is not said of a role is as for all.
alter table duly.approval_rules add column roles_minor jsonb not null default '{}';

comment on table duly.approval_rules is
    'Up to which amount a day, by currency, one person does something alone, of a role or of all. {}: any amount; a currency that is not among others: none.';
