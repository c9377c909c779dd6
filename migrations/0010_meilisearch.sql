-- What the product knows of its index in Meilisearch, which can be wiped or put back without telling anybody. One row.

CREATE TABLE meilisearch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    serving boolean NOT NULL DEFAULT false, -- the index holds all that it should: it may be asked
    mark bigint NOT NULL DEFAULT 0,         -- counts up in here and in the index; a lower one there: it was put back
    build_id text,                          -- an index that is being built beside it; null: none
    build_version integer,
    build_epoch text,                       -- of the log that the position belongs to
    build_highest xid8,                     -- changes up to here are in the new index, except …
    build_pending xid8[],
    build_next_id bigint,                   -- messages from here on are not in it yet; null: all are
    build_done bigint NOT NULL DEFAULT 0
);
INSERT INTO meilisearch DEFAULT VALUES;
