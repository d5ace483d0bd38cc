-- What the pages of the console read beside the rows of the lists: names, numbers, and runs with members.

update duly.accounts set owner_name = (array['Jürgen', 'Anna', 'José', 'Maria', 'Ελένη'])[1 + hashtext(id) % 5 + case when hashtext(id) % 5 < 0 then 5 else 0 end]
    || ' ' || (array['Müller', 'Schmidt', 'Papadopoulos', 'García', 'Novak'])[1 + abs(hashtext(id || 'x')) % 5] || ' ' || id,
    email = id || '@shop.example';
update duly.cards set last4 = lpad((abs(hashtext(id)) % 10000)::text, 4, '0');
insert into duly.refund_runs (id, provider_id, day, members, started_at)
    select 'refunds/stripe/' || d, 'stripe', d, 100, now() - n * interval '1 day' from generate_series(1, 2000) n,
        lateral (select current_date - n as d) x;
insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, outcome, settled_minor)
    select (select id from duly.process_runs order by started_at desc limit 1), 'a' || n, 'a' || n, 0, 'EUR', 999, 'charged', 999
    from generate_series(1, :accounts) n;

-- A third of the open collections is somebody's; of them the one who looks has a hundredth.
insert into duly.collection_assignees (account_id, period, user_id, assigned_by)
select account_id, period, case when n % 300 = 0 then 'bench' else 'paul' end, 'paul'
from (select account_id, period, row_number() over (order by opened_at) as n from duly.collections where closed_at is null) c where n % 3 = 0;
