-- The built-in search: the words of messages, and which words there are.

-- Words with typing errors are looked for among the words that there are, which are few, not in messages.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A row for each message that is not deleted, written with it (fechatter/domain/vectors.py says what is in `words`).
-- Beside the words of its text and files, `words` holds what else messages are found by, so that one index answers:
-- c:7 the chat, s:7 the sender, m:7 a user mentioned, f: has files, t:2016-03 the month,
-- b:7 the block of ids (id / 8192), ^wor a word that begins so.
-- No word holds a colon or ^.
CREATE TABLE message_words (
    message_id bigint PRIMARY KEY,
    workspace_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    sender_id bigint NOT NULL,
    sent_at timestamptz NOT NULL,
    words tsvector NOT NULL
);
-- What is posted waits in the index's pending list, which a worker empties each second and every search reads through:
-- so it is kept short.
CREATE INDEX message_words_words ON message_words USING gin (words)
    WITH (fastupdate = on, gin_pending_list_limit = 512);

-- Vectors one after the other, as the names of a message's files.
CREATE AGGREGATE joined_vectors (tsvector) (sfunc = tsvector_concat, stype = tsvector, initcond = '');

-- The words of a file's name; null: written before this column was.
ALTER TABLE files ADD COLUMN words tsvector;
CREATE INDEX files_unnamed ON files (id) WHERE words IS NULL;

-- Words of letters, each once, whoever wrote them: never shown to anybody, only used to search further.
CREATE TABLE search_words (
    word text COLLATE "C" PRIMARY KEY
);
CREATE INDEX search_words_near ON search_words USING gin (word gin_trgm_ops);

-- Messages that were there before: taken in by a worker, newest first, down from `next_id`. One row.
CREATE TABLE search_backfill (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    first_id bigint,                      -- where it began; null: not yet
    next_id bigint,                       -- messages from here on up are done; 0: all are
    renewing boolean NOT NULL DEFAULT false  -- also those that are there already: the index is built anew
);
INSERT INTO search_backfill DEFAULT VALUES;
