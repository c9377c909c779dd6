-- How far each consumer of the event log has got: the search index, Web Push. One process works at a time for each
-- name, by an advisory lock; `beat_at` tells whether the one that holds the lock still moves.

CREATE TABLE log_consumers (
    name text PRIMARY KEY,
    epoch text NOT NULL,                  -- of the log that `highest` and `pending` belong to
    highest xid8 NOT NULL,                -- events up to here have been handled …
    pending xid8[] NOT NULL,              -- … except those of these transactions
    handled bigint NOT NULL DEFAULT 0,    -- events
    set_aside bigint NOT NULL DEFAULT 0,  -- events that could not be handled, and were told in the log
    failure text,                         -- what it fails with at present
    failing_since timestamptz,
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
