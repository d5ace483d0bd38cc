-- Who has changed what: written by triggers, in the commit of the change (migrations/versions/0025_books).

create or replace function duly.keep_account_state() returns trigger language plpgsql security definer
set search_path = duly, pg_temp as $$
begin
    insert into duly.audit_trail (kind, subject, action, actor, reason, changes)
    values ('account', new.id, 'edited', coalesce(nullif(current_setting('duly.actor', true), ''), session_user),
        coalesce(current_setting('duly.reason', true), ''),
        jsonb_build_object('state', jsonb_build_object('was', old.state, 'is', new.state)));
    return null;
end $$;

-- What a person or a service did to a draft, in the commit that does it: with what it was before, and as a note (F36).
create or replace function duly.keep_draft_change(p_transaction_id text, p_action text, p_changes jsonb, p_actor text) returns void
language plpgsql as $$
begin
  insert into duly.audit_trail (kind, subject, action, actor, reason, changes)
    values ('transaction', p_transaction_id, p_action, p_actor, coalesce(current_setting('duly.reason', true), ''), p_changes);
  perform duly.add_note(p_transaction_id, p_actor, concat_ws(' ', p_action,
    (select string_agg(k, ', ' order by k) from jsonb_object_keys(p_changes) k)));
end $$;

-- Everything that is kept about something: a transaction, an account, a table of the configuration, a day.
create or replace function duly.history_of(p_kind text, p_subject text, p_actor text, p_limit integer)
returns table (made_at timestamptz, kind text, subject text, action text, actor text, reason text, made_by text, changes jsonb)
language sql stable as $$
  select h.made_at, h.kind, h.subject, h.action, h.actor, h.reason, h.made_by, h.changes from (
      (select t.made_at, t.kind, t.subject, t.action, t.actor, t.reason, t.made_by::text, t.changes from duly.audit_trail t
        where (p_subject is null or t.subject = p_subject or split_part(t.subject, ' ', 1) = p_subject)
          and (p_actor is null or t.actor = p_actor) and (p_kind is null or t.kind = p_kind) order by t.id desc limit p_limit)
      union all
      (select c.changed_at, 'account', c.account_id, case when c.changes ? 'created' then 'created' else 'edited' end, c.actor,
          c.reason, null, c.changes from duly.account_changes c
        where (p_subject is null or c.account_id = p_subject) and (p_actor is null or c.actor = p_actor)
          and (p_kind is null or p_kind = 'account') and not c.changes ? 'state' order by c.id desc limit p_limit)
      union all
      (select d.changed_at, 'configuration', concat_ws(' ', d.kind, nullif(d.definition_id, d.kind)),
          case when (select bool_and(v.value -> 'was' = 'null') from jsonb_each(d.changes) v) then 'created' else 'edited' end,
          coalesce(nullif(d.actor, ''), d.made_by::text, ''), d.reason, d.made_by::text, d.changes
        from duly.definition_changes d
        where (p_subject is null or p_subject in (d.definition_id, d.kind, d.kind || ' ' || d.definition_id))
          and (p_actor is null or coalesce(nullif(d.actor, ''), d.made_by::text) = p_actor)
          and (p_kind is null or p_kind = 'configuration') order by d.id desc limit p_limit)
      union all
      (select t.created_at, 'transaction', t.id, 'created', t.actor, coalesce(t.issue_reason, ''), null,
          jsonb_build_object('number', n.number, 'state', t.state, 'posted_by', coalesce(t.posted_by, t.actor),
            'posted_at', t.posted_at, 'rejected_by', t.rejected_by)
        from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
        where p_subject = t.id and (p_actor is null or t.actor = p_actor) and (p_kind is null or p_kind = 'transaction'))
      union all
      (select t.posted_at, 'transaction', t.counterpart_id, t.classification::text, t.actor, coalesce(t.issue_reason, ''), null,
          jsonb_build_object('number', n.number)
        from duly.financial_transactions t left join duly.transaction_numbers n on n.transaction_id = t.id
        where t.counterpart_id = p_subject and (p_actor is null or t.actor = p_actor)
          and (p_kind is null or p_kind = 'transaction'))
    ) h order by h.made_at desc limit p_limit
$$;
