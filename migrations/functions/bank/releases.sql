-- Files for the bank: within the limits of a day one person releases them, above another has to approve.

-- Release the file of a month of refunds or of a batch of debits in one currency; once released, it is for as much or less.
-- Return the request that waits for another person, null when it may be written. Without limits everything may.
create or replace function duly.release_bank_file(p_kind text, p_subject text, p_currency text, p_amount_minor bigint, p_action text,
    p_actor text, p_reason text) returns text
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    r duly.approval_rules;
    v_actor text := lower(btrim(p_actor));
    v_waits text;
begin
    select * into r from duly.approval_rules;
    -- With a limit of anybody's, a file is somebody's.
    if p_amount_minor = 0 or (case p_kind when 'refund_file' then r.refund_files_minor else r.debit_files_minor end) = '{}'
            and not exists (select from jsonb_each(r.roles_minor) as one (role, limits) where one.limits ? (p_kind || 's')) then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtextextended(format('bank_file/%s/%s', p_kind, p_subject), 0));
    if exists (select from duly.bank_file_releases where (kind, subject, currency) = (p_kind, p_subject, p_currency)
        and amount_minor >= p_amount_minor) then return null; end if;
    -- Who asks twice is answered with the request that waits.
    select min(id) into v_waits from duly.approvals where (kind, subject, currency, state)
        = (p_kind, p_subject, p_currency, 'waiting') and amount_minor >= p_amount_minor and expires_at > clock_timestamp();
    if v_waits is not null then return v_waits; end if;
    if not exists (select from duly.users u where u.id = v_actor and u.state = 'active') then
        perform duly.refuse('releaser_is_user', format('actor: %s is no user of the console; files have limits of who releases them', p_actor));
    elsif btrim(p_reason) = '' then
        perform duly.refuse('command_says_who_and_why', 'reason: say why');
    end if;
    v_waits := duly.ask_approval(
        md5(concat_ws('/', p_kind, p_subject, p_currency, (select count(*) from duly.approvals a where (a.kind, a.subject) = (p_kind, p_subject)))),
        v_actor, p_action, p_kind, p_subject, null, p_amount_minor, p_currency, jsonb_build_object('currency', p_currency), p_reason);
    if v_waits is null then
        insert into duly.bank_file_releases as r (kind, subject, currency, amount_minor, released_by, released_because)
            values (p_kind, p_subject, p_currency, p_amount_minor, v_actor, p_reason)
            on conflict (kind, subject, currency) do update set amount_minor = excluded.amount_minor, released_by = excluded.released_by,
                released_because = excluded.released_because, released_at = clock_timestamp(), approval_id = null;
    end if;
    return v_waits;
end $$;

-- Release what another person has approved; once more changes nothing.
create or replace function duly.release_approved_file(p_approval_id text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    a duly.approvals;
begin
    select * into a from duly.approvals where id = p_approval_id;
    if a.id is null or a.state <> 'approved' or a.kind not in ('refund_file', 'debit_file') then
        perform duly.refuse('file_is_approved', format('approval: %s has approved no file', p_approval_id));
    end if;
    insert into duly.bank_file_releases as r (kind, subject, currency, amount_minor, released_by, released_because, approval_id)
        values (a.kind, a.subject, a.currency, a.amount_minor, a.decided_by, a.decided_because, a.id)
        on conflict (kind, subject, currency) do update set amount_minor = excluded.amount_minor, released_by = excluded.released_by,
            released_because = excluded.released_because, released_at = clock_timestamp(), approval_id = excluded.approval_id
        where r.amount_minor < excluded.amount_minor;
end $$;
