-- Events about suspected fraud: the gateway's warnings and reviews. What is there already is of the other subjects.
alter table duly.gateway_events drop constraint gateway_events_subject_check;

alter table duly.gateway_events add constraint gateway_events_subject_check check (subject in
    ('', 'payment', 'card', 'refund', 'dispute', 'movement', 'merchant', 'fraud')) not valid;
