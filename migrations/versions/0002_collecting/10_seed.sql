-- The runtime role reads everything, keeps the configuration, and writes what happened only through functions.

insert into duly.dunning_policies (id, version, document) values ('standard', 1, '{}');
