-- Relays, live sockets, presence.

-- name: relay_endpoints
SELECT endpoint FROM relay WHERE until > :now AND endpoint IS NOT NULL;

-- name: relay_insert
INSERT INTO relay (run, name, endpoint, until) VALUES (:run, :name, :endpoint, :until);

-- name: relay_renew
UPDATE relay SET until = :until WHERE run = :run AND endpoint IS NOT NULL AND until > :now;

-- An ended run (:run NULL: whichever the name had) gets no more pushes, and a grace.
-- name: relay_retire
UPDATE relay SET endpoint = NULL, until = :until
WHERE name = :name AND (:run IS NULL OR run = :run) AND endpoint IS NOT NULL AND until > :now;

-- name: relay_delete_dead
DELETE FROM relay WHERE until <= :now;

-- name: relay_delete
DELETE FROM relay WHERE run = :run;

-- name: live_insert
INSERT INTO live_socket (system, user, run) VALUES (:system, :user, :run) ON CONFLICT DO NOTHING;

-- name: live_delete
DELETE FROM live_socket WHERE system = :system AND user = :user AND run = :run;

-- name: live_delete_dead
DELETE FROM live_socket WHERE run NOT IN (SELECT run FROM relay);

-- Without a grace (:grace 0) only runs that are still there count.
-- name: presence_compare
SELECT EXISTS (SELECT 1 FROM presence WHERE system = :system AND user = :user),
       EXISTS (SELECT 1 FROM live_socket s JOIN relay r ON r.run = s.run
               WHERE s.system = :system AND s.user = :user AND r.until > :now
                 AND (:grace OR r.endpoint IS NOT NULL));

-- Has he a socket on a relay that is there?
-- name: live_now
SELECT EXISTS (SELECT 1 FROM live_socket s JOIN relay r ON r.run = s.run
               WHERE s.system = :system AND s.user = :user AND r.until > :now
                 AND r.endpoint IS NOT NULL);

-- name: presence_insert
INSERT INTO presence (system, user) VALUES (:system, :user) ON CONFLICT DO NOTHING;

-- name: presence_delete
DELETE FROM presence WHERE system = :system AND user = :user;

-- :graced is a JSON array of the systems in which an ended run counts for a grace.
-- name: presence_stale
SELECT p.system, p.user FROM presence p
WHERE NOT EXISTS (SELECT 1 FROM live_socket s JOIN relay r ON r.run = s.run
                  WHERE s.system = p.system AND s.user = p.user AND r.until > :now
                    AND (r.endpoint IS NOT NULL
                         OR p.system IN (SELECT value FROM json_each(:graced))))
LIMIT :limit;

-- Conversations small enough to carry a user's presence.
-- name: presence_conversations
SELECT c.uid FROM member m JOIN conversation c ON c.id = m.conversation
WHERE m.system = :system AND m.user = :user AND c.members <= :max_members;
