-- Makes duly.run_items a table of one partition a run (decision 0115). No revision: its owner runs it once, at the size that the decision
-- names, with all workers stopped; then `duly migrate`, which makes views and functions anew. Each later run gets its
-- partition when it begins (duly.make_partition). A partition that nobody needs any more is detached and dropped at once.

begin;

set local lock_timeout = '5s';
lock table duly.run_items, duly.process_runs in access exclusive mode;

-- What names the table by its type or its oid: migrate makes it anew.
do $$
declare
    x record;
begin
    for x in select 'duly.' || quote_ident(c.relname) as name from pg_class c where c.relnamespace = 'duly'::regnamespace and c.relkind = 'v' loop
        if to_regclass(x.name) is not null then execute format('drop view %s cascade', x.name); end if;
    end loop;
    for x in select p.oid::regprocedure::text as signature from pg_proc p
        where p.prorettype = (select reltype from pg_class where oid = 'duly.run_items'::regclass) loop
        execute format('drop function %s cascade', x.signature);
    end loop;
end $$;

alter table duly.run_items rename to run_items_before;
alter table duly.run_items_before rename constraint run_items_pkey to run_items_before_pkey;

-- A partition keeps every rule of the whole: what an upgrade added without reading the rows is read now.
do $$
declare
    x record;
begin
    for x in select conname from pg_constraint where conrelid = 'duly.run_items_before'::regclass and not convalidated loop
        execute format('alter table duly.run_items_before validate constraint %I', x.conname);
    end loop;
end $$;

create table duly.run_items (like duly.run_items_before including defaults including constraints including comments)
    partition by list (run_id);

-- An index of the whole takes in those of its partitions that are alike: nothing is built.
alter table duly.run_items add primary key (run_id, member_id), add foreign key (run_id) references duly.process_runs;

do $$
declare
    x record;
begin
    for x in select i.indexrelid::regclass::text as name, c.relname, pg_get_indexdef(i.indexrelid) as definition
        from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = 'duly.run_items_before'::regclass and not i.indisprimary loop
        execute format('alter index %s rename to %I', x.name, x.relname || '_before');
        execute replace(x.definition, ' ON duly.run_items_before ', ' ON duly.run_items ');
    end loop;
    execute format('alter table duly.run_items attach partition duly.run_items_before for values in (%s)', (
        select string_agg(quote_literal(r.id), ', ') from (select id from duly.process_runs union select '') r));
end $$;

update duly.installation set functions_hash = '';

commit;
