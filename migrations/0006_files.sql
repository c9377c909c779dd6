-- Uploaded files: who may have them follows from the messages that carry them; their bytes are in a store of objects.

CREATE TABLE files (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    uploader_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    mime_type text NOT NULL,              -- by content
    size bigint NOT NULL,
    sha256 text NOT NULL,
    width integer,                        -- of images, as they are shown
    height integer,
    object_key text NOT NULL,             -- where the bytes are; one object for each file, so that deleting is simple
    thumbnail_key text,                   -- null: not made
    thumbnail_due timestamptz,            -- null: nothing to make; else when to try (again)
    thumbnail_tries smallint NOT NULL DEFAULT 0,
    idle_since timestamptz DEFAULT now(), -- null: a message or an avatar shows it
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX files_workspace ON files (workspace_id);
CREATE INDEX files_uploader ON files (uploader_id);
CREATE INDEX files_thumbnail_due ON files (thumbnail_due) WHERE thumbnail_due IS NOT NULL;
CREATE INDEX files_idle ON files (idle_since) WHERE idle_since IS NOT NULL;

CREATE TABLE message_files (
    file_id bigint NOT NULL REFERENCES files ON DELETE CASCADE,
    message_id bigint NOT NULL,
    chat_id bigint NOT NULL REFERENCES chats ON DELETE CASCADE,
    workspace_id bigint NOT NULL,
    PRIMARY KEY (file_id, message_id)
);
CREATE INDEX message_files_message ON message_files (message_id);
CREATE INDEX message_files_chat ON message_files (chat_id);

-- Objects that must go. An upload writes its key here before it writes its first byte, and takes it back when the
-- file's row is there: whatever a crash leaves behind is found.
CREATE TABLE object_garbage (
    key text PRIMARY KEY,
    due timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX object_garbage_due ON object_garbage (due);

-- However a file's row goes (by itself, with its workspace, with its uploader), its objects follow.
CREATE FUNCTION discard_objects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO object_garbage (key)
    SELECT key FROM unnest(ARRAY[OLD.object_key, OLD.thumbnail_key]) AS k (key) WHERE key IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER files_discard AFTER DELETE ON files FOR EACH ROW EXECUTE FUNCTION discard_objects();

-- `idle_since` follows what shows a file: messages while they are not deleted, and avatars.
CREATE FUNCTION is_shown(file files) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM message_files mf WHERE mf.file_id = file.id)
        OR EXISTS (SELECT FROM users u WHERE u.id = file.uploader_id AND u.avatar = '/api/files/' || file.id)
$$;

CREATE FUNCTION on_file_shown() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE files SET idle_since = NULL WHERE id = NEW.file_id AND idle_since IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER message_files_shown AFTER INSERT ON message_files FOR EACH ROW EXECUTE FUNCTION on_file_shown();

-- What nobody sees any more goes with the next sweep: whoever deletes a message wants it gone.
CREATE FUNCTION on_file_unshown() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE files f SET idle_since = '-infinity' WHERE f.id = OLD.file_id AND NOT is_shown(f);
    RETURN NULL;
END $$;
CREATE TRIGGER message_files_unshown AFTER DELETE ON message_files FOR EACH ROW EXECUTE FUNCTION on_file_unshown();

CREATE FUNCTION on_message_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM message_files WHERE message_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_deleted_files AFTER UPDATE OF deleted_at ON messages FOR EACH ROW
    WHEN (OLD.files IS NOT NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION on_message_deleted();

CREATE FUNCTION on_avatar_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE files f SET idle_since = CASE WHEN is_shown(f) THEN NULL ELSE now() END
    WHERE f.uploader_id = NEW.id AND '/api/files/' || f.id IN (OLD.avatar, NEW.avatar);
    RETURN NULL;
END $$;
CREATE TRIGGER users_avatar_changed AFTER UPDATE OF avatar ON users FOR EACH ROW
    WHEN (OLD.avatar IS DISTINCT FROM NEW.avatar) EXECUTE FUNCTION on_avatar_changed();
