-- The recurring revenue of closed months: computed in models/reports/mrr.py, compared with the month before and kept here.

-- What the newest version of a month has.
create or replace function duly.mrr_of_month(p_month date)
returns table (account_id text, currency text, start_minor bigint, mrr_minor bigint, change text) language sql stable
security definer set search_path = duly, pg_temp as $$
    select a.account_id, a.currency, a.start_minor, a.mrr_minor, a.change from duly.mrr_amounts a
    where a.month = p_month and a.version = (select max(s.version) from duly.mrr_snapshots s where s.month = p_month)
$$;

-- Keep what accounts come to in a month, unless its newest version says the same already. Returns the version, and whether it is new.
-- Months are kept in their order, for each begins with what the one before had. One at a time.
create or replace function duly.keep_mrr(p_month date, p_amounts jsonb, p_actor text, p_reason text, out version integer, out is_new boolean)
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_before date := (p_month - interval '1 month')::date;
begin
    lock table duly.mrr_snapshots in share row exclusive mode;
    if exists (select from duly.mrr_snapshots s where s.month < p_month)
        and not exists (select from duly.mrr_snapshots s where s.month = v_before) then
        perform duly.refuse('months_in_order', format('month: %s comes first', to_char(v_before, 'YYYY-MM')));
    end if;
    create temporary table computed on commit drop as
        select coalesce(x.account_id, b.account_id) as account_id, coalesce(x.currency, b.currency) as currency,
            coalesce(b.mrr_minor, 0) as start_minor, coalesce(x.mrr_minor, 0) as mrr_minor, ''::text as change
        from jsonb_to_recordset(p_amounts) as x (account_id text, currency text, mrr_minor bigint)
        full join (select * from duly.mrr_of_month(v_before) m where m.mrr_minor > 0) b
            on b.account_id = x.account_id and b.currency = x.currency;
    update pg_temp.computed c set change = case
        when c.start_minor = c.mrr_minor then 'none' when c.mrr_minor = 0 then 'churn'
        -- Of a month that was corrected only what it is now: who was never there by that is new.
        when c.start_minor = 0 then case when exists (select from duly.mrr_amounts a
            where a.account_id = c.account_id and a.currency = c.currency and a.month < p_month and a.mrr_minor > 0
              and a.version = (select max(s.version) from duly.mrr_snapshots s where s.month = a.month))
            then 'reactivation' else 'new' end
        when c.mrr_minor > c.start_minor then 'expansion' else 'contraction' end;
    select coalesce(max(s.version), 0) into version from duly.mrr_snapshots s where s.month = p_month;
    is_new := version = 0 or exists (
        (select c.account_id, c.currency, c.start_minor, c.mrr_minor, c.change from pg_temp.computed c
            except select * from duly.mrr_of_month(p_month))
        union all
        (select * from duly.mrr_of_month(p_month)
            except select c.account_id, c.currency, c.start_minor, c.mrr_minor, c.change from pg_temp.computed c));
    if is_new then
        version := version + 1;
        insert into duly.mrr_snapshots (month, version, actor, reason) values (p_month, version, p_actor, p_reason);
        insert into duly.mrr_amounts (month, version, account_id, currency, start_minor, mrr_minor, change)
            select p_month, keep_mrr.version, c.account_id, c.currency, c.start_minor, c.mrr_minor, c.change from pg_temp.computed c;
    end if;
    drop table pg_temp.computed;
end $$;
