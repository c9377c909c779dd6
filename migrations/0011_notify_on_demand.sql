-- NOTIFY takes one lock for the whole server when a transaction commits. A process that tells the notify servers by
-- other means says so on its connections (fechatter.notify = off), and then its commits do without.
CREATE OR REPLACE TRIGGER events_notify AFTER INSERT ON events FOR EACH ROW
    WHEN (current_setting('fechatter.notify', true) IS DISTINCT FROM 'off')
    EXECUTE FUNCTION notify_event();
