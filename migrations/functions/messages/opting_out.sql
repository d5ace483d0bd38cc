-- Opting out of communications, and back in, by the link of a letter. Tokens are made by the caller, who hands their hashes here.

-- Keep the link of a letter that is being sent. Of an account those of letters of more than two years ago go.
create or replace function duly.note_opt_out_link(p_account_id text, p_message_id text, p_address_hash text, p_token_hash text) returns void
language sql security definer set search_path = duly, pg_temp as $$
    delete from duly.opt_out_links where account_id = p_account_id and made_at < now() - interval '2 years';
    insert into duly.opt_out_links (token_hash, account_id, message_id, address_hash) values (p_token_hash, p_account_id, p_message_id, p_address_hash);
$$;

-- What the reader of a link has chosen: {is_out, may_return, locale}; null for a link that there is not. Nothing of it says whose it is.
create or replace function duly.choice_of_link(p_token_hash text) returns jsonb
language sql stable security definer set search_path = duly, pg_temp as $$
    select jsonb_build_object('locale', a.locale,
        'is_out', exists (select from duly.mail_stops s where s.account_id = a.id and s.kind = 'opted_out'),
        'may_return', l.address_hash = duly.address_hash(coalesce(a.email, '')) and a.state <> 'terminated')
    from duly.opt_out_links l join duly.accounts a on a.id = l.account_id where l.token_hash = p_token_hash
$$;

-- Opt out by a link, or back in, and keep by which letter and how; return what is chosen now, or null for a link that there is not.
-- A repeat changes nothing. Back in is for who reads the account's address of today: another's mail is not theirs to ask for.
create or replace function duly.choose_by_link(p_token_hash text, p_is_out boolean, p_how text) returns jsonb
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_link duly.opt_out_links;
    v_choice jsonb := duly.choice_of_link(p_token_hash);
    v_reason text;
begin
    if v_choice is null then return null; end if;
    select * into v_link from duly.opt_out_links where token_hash = p_token_hash;
    v_reason := format('%s of %s', p_how, v_link.message_id);
    if p_is_out then
        perform duly.stop_mail(v_link.account_id, 'opted_out', 'customer', v_reason);
    elsif (v_choice ->> 'may_return')::boolean then
        perform duly.allow_mail(v_link.account_id, 'opted_out', 'customer', v_reason);
    end if;
    return duly.choice_of_link(p_token_hash);
end $$;
