-- The event log, audiences, and pruning.

-- name: log_advance
UPDATE log_state SET head = head + :n WHERE id = 1 RETURNING head;

-- name: log_state
SELECT head, floor FROM log_state WHERE id = 1;

-- name: log_set_floor
UPDATE log_state SET floor = :floor WHERE id = 1;

-- name: log_restored
UPDATE log_state SET head = head + 4294967296, floor = head + 4294967296 WHERE id = 1;

-- name: event_insert
INSERT INTO event (seq, at, about, envelope, body) VALUES (:seq, :at, :about, :envelope, :body);

-- name: event_channel_insert
INSERT INTO event_channel (channel, seq) VALUES (:channel, :seq) ON CONFLICT DO NOTHING;

-- name: event_read
SELECT seq, envelope, body FROM event WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: event_newest
SELECT at FROM event ORDER BY seq DESC LIMIT 1;

-- name: event_erase
UPDATE event SET body = '' WHERE about = :about;

-- name: event_erase_conversation
UPDATE event SET body = ''
WHERE about IN (SELECT id FROM entry WHERE conversation = :conversation);

-- What a user would have heard after :since, up to :up_to: his audience spans, and the channels that
-- are his without being a row.
-- name: event_replay
SELECT e.seq, e.envelope, e.body
FROM event e
WHERE e.body <> '' AND e.seq IN (
    SELECT c.seq
    FROM audience a
    JOIN event_channel c ON c.channel = a.channel AND c.seq > :since AND c.seq <= :up_to
    WHERE a.system = :system AND a.user = :user
      AND c.seq >= a.from_seq AND (a.until_seq IS NULL OR c.seq < a.until_seq)
    UNION
    SELECT seq FROM event_channel WHERE channel = :user_channel AND seq > :since AND seq <= :up_to
    UNION
    SELECT seq FROM event_channel WHERE channel = :system_channel AND seq > :since AND seq <= :up_to)
ORDER BY e.seq LIMIT :limit;

-- name: audience_open
INSERT INTO audience (system, user, channel, from_seq) VALUES (:system, :user, :channel, :seq)
ON CONFLICT DO NOTHING;

-- name: audience_close
UPDATE audience SET until_seq = :seq
WHERE system = :system AND user = :user AND channel = :channel AND until_seq IS NULL;

-- name: audience_gone
UPDATE audience SET until_seq = :seq WHERE channel = :channel AND until_seq IS NULL;

-- name: audience_of
SELECT channel FROM audience WHERE system = :system AND user = :user AND until_seq IS NULL;

-- name: audience_has
SELECT EXISTS (SELECT 1 FROM audience WHERE system = :system AND user = :user AND channel = :channel
               AND until_seq IS NULL);

-- name: prune_candidates
SELECT seq, at, envelope FROM event ORDER BY seq LIMIT :limit;

-- name: event_prune
DELETE FROM event WHERE seq <= :floor;

-- name: event_channel_prune
DELETE FROM event_channel WHERE channel = :channel AND seq <= :floor;

-- name: audience_prune
DELETE FROM audience WHERE until_seq <= :floor + 1;

-- name: idempotency_prune
DELETE FROM idempotency WHERE (conversation, user, key) IN (
    SELECT conversation, user, key FROM idempotency WHERE at < :before ORDER BY at LIMIT :limit);

-- name: secret_get
SELECT value FROM secret WHERE name = :name;
