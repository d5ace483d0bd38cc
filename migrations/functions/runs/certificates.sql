-- What closes a run: its totals, the ledger's, and a seal over all of its members.

-- The seal over the members in their order. Of more than a million each million has its own, and the seal lies over those: no
-- text of the server holds all of ten million members.
create or replace function duly.seal_of_run(p_run_id text, p_part integer default 1000000) returns text
language sql stable security definer set search_path = duly, pg_temp as $$
    with lines as (
        select concat_ws('|', member_id, currency, amount_minor, settled_minor, outcome, reason, transaction_id) as line, member_id,
            (row_number() over (order by member_id) - 1) / p_part as part
        from duly.run_items where run_id = p_run_id
    ),
    parts as (
        select part, encode(sha256(convert_to(string_agg(line, E'\n' order by member_id), 'utf8')), 'hex') as seal
        from lines group by part
    )
    select case count(*) when 1 then max(seal)
        else encode(sha256(convert_to(coalesce(string_agg(seal, E'\n' order by part), ''), 'utf8')), 'hex') end
    from parts
$$;

-- The totals of a certificate. Of a billing run with net, tax and total by their names: of what was not billed there is a net
-- price alone.
create or replace function duly.certified_totals(p_run duly.process_runs) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('outcome', x.outcome, 'reason', x.reason, 'currency', x.currency,
            'members', x.members, 'amount_minor', case when x.outcome in ('charged', 'billed') then x.settled_minor
            else x.amount_minor end)
        || case when p_run.kind <> 'billing' then '{}' else jsonb_build_object('net_minor', b.net_minor,
            'tax_minor', b.tax_minor, 'total_minor', b.total_minor) end
        order by x.outcome, x.reason, x.currency), '[]')
    from duly.run_totals(p_run.id) x
    left join duly.billed_totals(case when p_run.kind = 'billing' then p_run.id end) b using (outcome, reason, currency)
$$;

-- Close a run: one outcome a member, the same money as the ledger posted (rule certificate_adds_up), a seal over all.
create or replace function duly.certify_run(p_run_id text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_run duly.process_runs;
    v_ledger bigint;
    v_items bigint;
begin
    select * into strict v_run from duly.process_runs where id = p_run_id for no key update;
    if v_run.state = 'completed' then return v_run.certificate; end if;
    -- Who has no outcome by now is with a collection, which has no answer of the gateway yet.
    update duly.run_items set outcome = 'unknown', reason = 'no_answer_yet', finished_at = now()
    where run_id = p_run_id and outcome is null and v_run.kind <> 'billing';
    select coalesce(sum(settled_minor), 0) into v_items from duly.run_items where run_id = p_run_id;
    select coalesce(sum(t.total_minor), 0) - (
        select coalesce(sum(n.total_minor), 0) from duly.run_items i join duly.financial_transactions n on n.id = i.credit_note_id
        where i.run_id = p_run_id and n.posted_at is not null) into v_ledger
    from duly.run_items i join duly.financial_transactions t on t.id = i.transaction_id
    where i.run_id = p_run_id and t.posted_at is not null;
    if (v_items <> v_ledger and v_run.kind <> 'shadow') or v_run.members <> (
        select count(*) from duly.run_items where run_id = p_run_id and outcome is not null) then
        perform duly.refuse('certificate_adds_up',
            format('run %s: its members come to %s, the ledger to %s', p_run_id, v_items, v_ledger));
    end if;
    update duly.process_runs set state = 'completed', completed_at = now(), certificate = jsonb_build_object(
        'run_id', p_run_id, 'definition_id', definition_id, 'period', period, 'members', members, 'sha256', duly.seal_of_run(p_run_id),
        'is_aborted', is_aborted, 'decisions', to_jsonb(decisions),
        'comparison', case when kind = 'shadow' then duly.compare_with_baseline(p_run_id, baseline_id) end,
        'totals', duly.certified_totals(v_run))
        || case when criteria = '{}' then '{}' else jsonb_build_object('criteria', criteria, 'left_out', left_out) end
        || case when kind <> 'payment' or duly.spent_from_wallets(id) = '[]' then '{}'
            else jsonb_build_object('from_wallet', duly.spent_from_wallets(id)) end
        || case when supplement = 0 then '{}'
            else jsonb_build_object('supplement', supplement, 'taken_again', duly.taken_again(v_run)) end
    where id = p_run_id returning * into v_run;
    return v_run.certificate;
end $$;
