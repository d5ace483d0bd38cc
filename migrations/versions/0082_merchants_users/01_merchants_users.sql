-- Whoever is limited to merchants sees their customers alone. Operators and administrators work for the whole house.
alter table duly.users add column merchants text[] not null default '{}',
    add constraint limited_users_have_roles check (merchants = '{}' or role in ('viewer', 'agent', 'accountant'));

comment on column duly.users.merchants is 'The merchants whose customers alone a user sees; {}: everybody.';

-- It takes the merchants as well.
drop function if exists duly.change_user(text, text, text, text);
drop function if exists duly.add_user(text, text, text);

create table duly.merchant_customers (
    account_id text collate "C" primary key references duly.accounts,
    merchant_id text collate "C" references duly.merchants
);
create index customers_of_merchant on duly.merchant_customers (merchant_id, account_id);

comment on table duly.merchant_customers is
    'Whose customer an account is that is at a merchant''s gateway account; null: it is at another''s, or the house''s, as well.';

insert into duly.merchant_customers (account_id, merchant_id)
select g.account_id, case when count(distinct coalesce(p.merchant_id, '')) = 1 then max(p.merchant_id) end
from duly.gateway_customers g join duly.providers p on p.id = g.provider_id
group by g.account_id having max(p.merchant_id) is not null;

create trigger no_truncate before truncate on duly.merchant_customers
    for each statement execute function duly.refuse_change();
