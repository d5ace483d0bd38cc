-- What was pressed in Temporal's UI, or broke, is kept where it outlives Temporal's own history.

create table duly.workflow_stops (
    workflow_id text collate "C" not null check (workflow_id <> ''),
    execution text collate "C" not null,
    how text not null check (how in ('cancel_asked', 'terminated', 'canceled', 'failed', 'timed_out', 'completed', 'missing')),
    actor text not null default '',
    reason text not null default '',
    stopped_at timestamptz not null default now(),
    noted_at timestamptz not null default now(),
    resumed_at timestamptz,
    primary key (workflow_id, execution, how)
);

comment on table duly.workflow_stops is
    'Each time a workflow was stopped, or found gone, while what it looks after was not over; `resumed_at` is when the
supervisor went on with it. `missing`: Temporal knew nothing of it.';

create index open_refunds on duly.gateway_requests (id)
    where kind in ('refund', 'payment_cancellation') and state in ('pending', 'under_processing', 'unknown', 'posted');

create index open_reductions on duly.reductions (award_id) where closed_at is null;

create index waiting_members on duly.run_items (account_id, run_id) where outcome in ('in_dunning', 'unknown');
