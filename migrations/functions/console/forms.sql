-- Forms of the console: each is carried out once, whoever sends it again is answered with what became of it.

create or replace function duly.begin_form(p_key text, p_user_id text, p_action text, p_subject text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    f duly.console_forms;
begin
    insert into duly.console_forms (key, user_id, action, subject) values (p_key, p_user_id, p_action, p_subject)
        on conflict do nothing;
    if found then return null; end if;
    select * into f from duly.console_forms where key = p_key;
    if (f.user_id, f.action, f.subject) is distinct from (p_user_id, p_action, p_subject) then
        perform duly.refuse('form_is_one', 'key: was sent with another form: open the form again');
    end if;
    return jsonb_build_object('outcome', f.outcome, 'answer', f.answer);
end $$;

-- A refused form changed nothing: it may be corrected and sent again.
create or replace function duly.end_form(p_key text, p_outcome text, p_answer text) returns void
language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    if p_outcome = 'refused' then
        delete from duly.console_forms where key = p_key and outcome = 'begun';
        delete from duly.limited_actions where key = p_key;
    else
        update duly.console_forms set outcome = p_outcome, answer = p_answer, ended_at = clock_timestamp()
            where key = p_key and outcome = 'begun';
    end if;
end $$;
