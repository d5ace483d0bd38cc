-- Files of payment requests. What a file may be is checked before it comes here (models/payments/attachment.py), and by the table.

-- Attach a file, and return its place among the request's. The same file again is the one that is there.
create or replace function duly.attach_to_request(p_id text, p_name text, p_media_type text, p_content bytea, p_actor text) returns integer
language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    q duly.payment_requests;
    v_place integer;
begin
    select * into q from duly.payment_requests where id = p_id for no key update;
    if not found then
        perform duly.refuse('payment_request_exists', format('request_id: there is no payment request %L', p_id));
    end if;
    select place into v_place from duly.request_attachments where request_id = p_id and hash = sha256(p_content);
    if found then return v_place; end if;
    if q.closed_at is not null then
        perform duly.refuse('payment_request_open', format('request_id: %s is over', p_id));
    end if;
    select coalesce(max(place), 0) + 1 into v_place from duly.request_attachments where request_id = p_id;
    if v_place > 5 then
        perform duly.refuse('attachments_at_most', format('file: %s has 5 files already, and takes no more', p_id));
    end if;
    insert into duly.request_attachments (request_id, place, name, media_type, content, actor)
    values (p_id, v_place, p_name, p_media_type, p_content, p_actor);
    return v_place;
end $$;

-- Attach some files in their order, in whichever commit calls it.
create or replace function duly.attach_files_to_request(p_id text, p_names text[], p_types text[], p_contents bytea[], p_actor text)
returns void language plpgsql security definer set search_path = duly, pg_temp as $$
begin
    for i in 1 .. cardinality(p_names) loop
        perform duly.attach_to_request(p_id, p_names[i], p_types[i], p_contents[i], p_actor);
    end loop;
end $$;

-- The names of a request's files, in their order.
create or replace function duly.attachment_names(p_id text) returns text[]
language sql stable security definer set search_path = duly, pg_temp as $$
    select coalesce(array_agg(name order by place), '{}') from duly.request_attachments where request_id = p_id
$$;

-- A file behind a link of its request.
create or replace function duly.attachment_of_link(p_token_hash text, p_place integer)
returns table (name text, media_type text, content bytea)
language sql stable security definer set search_path = duly, pg_temp as $$
    select a.name, a.media_type, a.content
    from duly.request_links l join duly.request_attachments a on a.request_id = l.request_id
    where l.token_hash = p_token_hash and a.place = p_place
$$;
