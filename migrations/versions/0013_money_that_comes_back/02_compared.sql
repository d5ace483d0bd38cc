-- Which start of the server was compared last with what Temporal and the gateway remember: a command asks for it.

alter table duly.installation add column compared_server text;
