-- Where in a workspace's stream somebody's part of it begins: replay withholds what is before it, as chats do.

-- Of the event that let them in: workspace.member_added, or workspace.member_updated of who was suspended or a guest.
-- 0: nothing is withheld (who founded it, or was in it before this column).
ALTER TABLE workspace_members ADD COLUMN joined_pos bigint NOT NULL DEFAULT 0;
