-- Documents as they were printed. What a posted transaction's document says is kept with the first print, every file once;
-- later prints are that file.

-- A logo is on all of a seller's documents and kept once.
create table duly.document_logos (
    sha256 text collate "C" primary key check (sha256 = encode(sha256(convert_to(svg, 'UTF8')), 'hex')),
    svg text not null
);

comment on table duly.document_logos is 'Each logo that a printed document has, by its SHA-256, for good.';

create table duly.documents (
    transaction_id text collate "C" primary key references duly.financial_transactions,
    facts jsonb not null,
    taken_at timestamptz not null default clock_timestamp()
);

comment on table duly.documents is 'What the document of a posted transaction says, taken when it was printed first: seller, buyer, lines, sums; of the logo its SHA-256.';

create table duly.document_files (
    id bigint generated always as identity primary key,
    transaction_id text collate "C" not null references duly.documents,
    format text not null check (format in ('pdf', 'factur-x', 'ubl', 'cii', 'html', 'xlsx', 'csv', 'rtf')),
    language text not null check (language ~ '^[a-z]{2}$'),
    template_version text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    content bytea not null,
    printed_at timestamptz not null default clock_timestamp(),
    unique (transaction_id, format, language),
    check (sha256 = encode(sha256(content), 'hex'))
);

comment on table duly.document_files is 'Each file of a document as it was printed first, for good.';

create table duly.document_links (
    token_hash text collate "C" primary key check (token_hash ~ '^[0-9a-f]{64}$'),
    file_id bigint not null references duly.document_files,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);

create index document_links_of_file on duly.document_links (file_id);

comment on table duly.document_links is 'The SHA-256 of what each link to a file ends in: 256 random bits, which nobody keeps.';

create trigger no_change before update or delete on duly.document_logos
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.document_logos
    for each statement execute function duly.refuse_change();

create trigger no_change before update or delete on duly.documents
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.documents
    for each statement execute function duly.refuse_change();

create trigger no_change before update or delete on duly.document_files
    for each row execute function duly.refuse_change();

create trigger no_truncate before truncate on duly.document_files
    for each statement execute function duly.refuse_change();
