-- Others than who began a mass action see it, go on with it, and close it when nothing more is to be done.
alter table duly.mass_actions
    add column carried_by text collate "C" not null default '',
    add column turn integer not null default 1,
    add column closed_at timestamptz,
    add column closed_by text collate "C" not null default '';

alter table duly.mass_action_items
    drop constraint mass_action_items_outcome_check,
    add constraint mass_action_items_outcome_check check (outcome in ('left', 'done', 'waiting', 'refused', 'failed', 'dropped'));

drop function if exists duly.take_mass_action(text, text);

update duly.mass_actions m set closed_at = ended_at where ended_at is not null
    and not exists (select from duly.mass_action_items i where i.key = m.key and i.outcome = 'failed');

create index mass_actions_newest on duly.mass_actions (begun_at desc, key desc);
create index open_mass_actions on duly.mass_actions (begun_at) where closed_at is null;

comment on column duly.mass_actions.carried_by is 'Who went on with it last; '''': who began it. turn: grows with that, and who carries out an older one stops.';
comment on column duly.mass_actions.closed_at is
    'When nothing of it was left to look at: by itself when it ended and became known of each; else a person, closed_by, has closed it.';
comment on column duly.mass_action_items.outcome is
    'left: not carried out yet; waiting: for another person; failed: nobody knows whether it was done; dropped: closed before its turn.';
