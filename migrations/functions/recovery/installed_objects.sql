-- What migrate has installed, and what differs from it: a function, view, trigger or right that somebody has changed by hand.

-- What the runtime roles and everybody may do, by the object it is about: the roles that rights.sql speaks of. A dump that is restored
-- without its rights, or where the role was not there, leaves none. Partitions are made later, and have no rights of their own.
create or replace function duly.installed_rights() returns table (name text, body text)
language sql stable set search_path = pg_catalog, pg_temp as $$
    with granted (object, part, acl) as (
        select 'schema duly', '', nspacl from pg_namespace where nspname = 'duly'
        union all
        select 'function ' || p.oid::regprocedure, '', coalesce(p.proacl, acldefault('f', p.proowner))
            from pg_proc p where p.pronamespace = 'duly'::regnamespace and p.prokind = 'f'
        union all
        select c.oid::regclass::text, '', c.relacl
            from pg_class c where c.relnamespace = 'duly'::regnamespace and c.relkind in ('r', 'p', 'v', 'S') and not c.relispartition
        union all
        select c.oid::regclass::text, a.attname, a.attacl
            from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'duly'::regnamespace and not c.relispartition and a.attacl is not null
    )
    select 'rights on ' || g.object,
        string_agg(concat_ws(' ', r.rolname, x.privilege_type, g.part, x.is_grantable), ',' order by r.rolname, x.privilege_type, g.part)
        from granted g cross join aclexplode(g.acl) x left join pg_roles r on r.oid = x.grantee
        where x.grantee = 0 or r.rolname = 'duly_app' group by g.object
$$;

-- Every function, view and trigger of the schema by name, with a hash of what it says, and the rights on each object. PostgreSQL writes
-- the text of views and triggers itself, with other brackets after a dump was restored: they do not count.
create or replace function duly.installed_objects() returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
    select jsonb_object_agg(o.name, md5(o.body)) from (
        select 'function ' || p.oid::regprocedure, jsonb_build_array(p.prosrc, p.proconfig, p.prosecdef, p.provolatile, p.proisstrict,
                p.proparallel, pg_get_function_result(p.oid), pg_get_function_arguments(p.oid))::text
            from pg_proc p where p.pronamespace = 'duly'::regnamespace and p.prokind = 'f'
        union all
        select 'view ' || c.oid::regclass, translate(pg_get_viewdef(c.oid), E'() \n', '')
            from pg_class c where c.relnamespace = 'duly'::regnamespace and c.relkind = 'v'
        union all
        select 'trigger ' || t.tgname || ' on ' || c.oid::regclass, translate(pg_get_triggerdef(t.oid), '() ', '')
            from pg_trigger t join pg_class c on c.oid = t.tgrelid
            where c.relnamespace = 'duly'::regnamespace and not t.tgisinternal and t.tgparentid = 0
        union all
        select r.name, r.body from duly.installed_rights() r
    ) o (name, body)
$$;

-- What is not as migrate has left it: changed, missing, added or disabled. PostgreSQL writes a view's text, and may write another one in a
-- newer version: views are compared when migrate has run there.
create or replace function duly.changed_objects() returns table (object text, difference text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with kept as (
        select x.key as object, x.value as body
            from duly.installation i, jsonb_each_text(coalesce(nullif(i.objects, '{}'), duly.installed_objects())) x
            where x.key not like 'view %' or i.objects_of_server = current_setting('server_version_num')::integer / 10000
    ), found as (
        select x.key as object, x.value as body from jsonb_each_text(duly.installed_objects()) x, duly.installation i
            where x.key not like 'view %' or i.objects_of_server = current_setting('server_version_num')::integer / 10000
    )
    select object, case when kept.body is null then 'added' when found.body is null then 'missing' else 'changed' end
        from kept full join found using (object) where kept.body is distinct from found.body
    union all
    select 'trigger ' || t.tgname || ' on ' || c.oid::regclass, 'disabled'
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'duly'::regnamespace and t.tgenabled not in ('O', 'A')
    order by object
$$;

-- Keep what is installed now as what migrate has installed: called by it before it keeps the hash, which a revision has emptied. Without
-- a revision no trigger can have changed but by hand.
create or replace function duly.keep_installed_objects() returns void
language sql set search_path = pg_catalog, pg_temp as $$
    update duly.installation set objects_of_server = current_setting('server_version_num')::integer / 10000,
        objects = (select jsonb_object_agg(x.key, x.value) from (
            select key, value from jsonb_each(duly.installed_objects()) where functions_hash = '' or key not like 'trigger %'
            union all
            select key, value from jsonb_each(objects) where functions_hash <> '' and key like 'trigger %') x)
$$;
