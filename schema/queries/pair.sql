-- Meetings, chats of two, and photos.

-- name: meeting_insert
INSERT INTO meeting (owner, name, icons, location, from_s, to_s, created_at)
VALUES (:owner, :name, :icons, :location, :from_s, :to_s, :now)
RETURNING id;

-- name: meeting_find
SELECT id, owner, name, icons, location, from_s, to_s FROM meeting WHERE id = :meeting;

-- name: meeting_list
SELECT id, owner, name, icons, location, from_s, to_s FROM meeting
ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- name: pair_insert
INSERT INTO chat (conversation, token, meeting, applicant, requested)
VALUES (:conversation, :token, :meeting, :applicant, :requested);

-- Where a party stands in its chat: nothing for somebody else.
-- name: pair_state
SELECT k.conversation, me.unread_n, c.last_n, other.user
FROM chat k
JOIN conversation c ON c.id = k.conversation
JOIN member me ON me.conversation = k.conversation AND me.user = :user
JOIN member other ON other.conversation = k.conversation AND other.user <> :user
WHERE k.token = :token;

-- name: pair_of_applicant
SELECT conversation FROM chat WHERE meeting = :meeting AND applicant = :applicant;

-- name: pair_request
UPDATE chat SET requested = 1 WHERE conversation = :conversation;

-- name: pair_grant
UPDATE chat SET granted = :granted WHERE conversation = :conversation;

-- A chat as one party sees it: nothing for somebody else. Columns of all that read chats: see store_pair.c.
-- name: pair_view
SELECT k.conversation, k.token, k.requested, k.granted,
       t.id, t.owner, t.name, t.icons, t.location, t.from_s, t.to_s,
       other.user, p.name, p.picture,
       (SELECT count(*) FROM entry e WHERE e.conversation = k.conversation
            AND e.n > me.unread_n AND e.kind = 0 AND e.author <> me.user),
       (SELECT count(*) FROM entry e WHERE e.conversation = k.conversation
            AND e.n > other.unread_n AND e.kind = 0 AND e.author <> other.user)
FROM chat k
JOIN meeting t ON t.id = k.meeting
JOIN member me ON me.conversation = k.conversation AND me.user = :user
JOIN member other ON other.conversation = k.conversation AND other.user <> :user
LEFT JOIN profile p ON p.system = :system AND p.user = other.user
WHERE k.conversation = :conversation;

-- name: pair_list
SELECT k.conversation, k.token, k.requested, k.granted,
       t.id, t.owner, t.name, t.icons, t.location, t.from_s, t.to_s,
       other.user, p.name, p.picture,
       (SELECT count(*) FROM entry e WHERE e.conversation = k.conversation
            AND e.n > me.unread_n AND e.kind = 0 AND e.author <> me.user),
       (SELECT count(*) FROM entry e WHERE e.conversation = k.conversation
            AND e.n > other.unread_n AND e.kind = 0 AND e.author <> other.user)
FROM member me
JOIN chat k ON k.conversation = me.conversation
JOIN meeting t ON t.id = k.meeting
JOIN member other ON other.conversation = k.conversation AND other.user <> me.user
LEFT JOIN profile p ON p.system = me.system AND p.user = other.user
WHERE me.system = :system AND me.user = :user
ORDER BY k.meeting, k.conversation;

-- name: pair_photos_insert
INSERT INTO entry_photos (entry, photos) VALUES (:entry, :photos);

-- The newest below a number.
-- name: pair_messages
SELECT e.n, e.author, e.content, e.at, x.photos
FROM entry e LEFT JOIN entry_photos x ON x.entry = e.id
WHERE e.conversation = :conversation AND e.n < :before
ORDER BY e.n DESC LIMIT :limit;

-- name: photo_insert
INSERT INTO photo (name, user, type, bytes, created_at) VALUES (:name, :user, :type, :bytes, :now);

-- name: photo_find
SELECT type, bytes FROM photo WHERE name = :name AND stored = 1;

-- name: photo_stored
UPDATE photo SET stored = 1, bytes = :bytes WHERE name = :name;

-- name: photo_delete
DELETE FROM photo WHERE name = :name;

-- name: photo_sum
SELECT coalesce(sum(bytes), 0) FROM photo WHERE user = :user;

-- Announced long ago, and never stored: whoever was at it is gone.
-- name: photo_left
SELECT name FROM photo WHERE stored = 0 AND created_at < :before ORDER BY created_at LIMIT :limit;
