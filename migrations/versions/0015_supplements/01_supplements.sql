-- A period's run may be supplemented once it has its certificate: by runs of their own for whom it did not have, numbered from 1.

alter table duly.process_runs add column supplement integer not null default 0 check (supplement >= 0);

comment on column duly.process_runs.supplement is '0: the period''s own run. Else the how-manieth that supplements it.';

-- Workers of the release before begin runs meanwhile: until the functions are replaced, theirs must do with either index.
create or replace function duly.start_run(p_run_id text, p_definition_id text, p_kind text, p_period text)
returns duly.run_definitions language plpgsql security definer set search_path = duly, pg_temp as $$
declare
    v_definition duly.run_definitions := duly.effective_definition(p_definition_id, p_kind);
    v_run duly.process_runs;
begin
    insert into duly.process_runs (id, definition_id, kind, period) values (p_run_id, p_definition_id, p_kind, p_period)
    on conflict do nothing;
    select * into v_run from duly.process_runs
    where definition_id = p_definition_id and period = p_period and kind = p_kind for update;
    if v_run.state = 'completed' then
        perform duly.refuse('one_run_a_period', format('%s was run for %s and is closed', p_definition_id, p_period));
    end if;
    return v_definition;
end $$;

drop index duly.one_run_a_period;

create unique index one_run_a_period on duly.process_runs (definition_id, period, supplement) where kind <> 'shadow';

comment on table duly.process_runs is
    'One execution of a definition for a period (X19), or a supplement of it. The three are unique; shadows are any number.';
