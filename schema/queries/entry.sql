-- Entries: messages and system messages.

-- name: entry_insert
INSERT INTO entry (uid, conversation, n, kind, author, content, at, reply_to)
VALUES (:uid, :conversation, :n, :kind, :author, :content, :at, :reply_to)
RETURNING id;

-- name: entry_find
SELECT e.id, e.uid, e.n, e.kind, e.author, e.content, e.at, e.edited_at, r.uid
FROM entry e LEFT JOIN entry r ON r.id = e.reply_to
WHERE e.conversation = :conversation AND e.uid = :uid;

-- name: entry_before
SELECT e.id, e.uid, e.n, e.kind, e.author, e.content, e.at, e.edited_at, r.uid
FROM entry e LEFT JOIN entry r ON r.id = e.reply_to
WHERE e.conversation = :conversation AND e.n < :n
ORDER BY e.n DESC LIMIT :limit;

-- name: entry_after
SELECT e.id, e.uid, e.n, e.kind, e.author, e.content, e.at, e.edited_at, r.uid
FROM entry e LEFT JOIN entry r ON r.id = e.reply_to
WHERE e.conversation = :conversation AND e.n > :n
ORDER BY e.n LIMIT :limit;

-- Where an id stands in the order, whether or not it still exists.
-- name: entry_position
SELECT n, uid = :uid FROM entry WHERE conversation = :conversation AND uid <= :uid
ORDER BY uid DESC LIMIT 1;

-- name: entry_beyond
SELECT EXISTS (SELECT 1 FROM entry WHERE conversation = :conversation AND n < :first),
       EXISTS (SELECT 1 FROM entry WHERE conversation = :conversation AND n > :last);

-- Newest entry at or below a position.
-- name: entry_at_position
SELECT uid FROM entry WHERE conversation = :conversation AND n <= :n ORDER BY n DESC LIMIT 1;

-- name: entry_edit_keep
INSERT INTO entry_edit (entry, at, content) SELECT id, :now, content FROM entry WHERE id = :entry;

-- name: entry_edit
UPDATE entry SET content = :content, edited_at = :now WHERE id = :entry;

-- name: entry_delete
DELETE FROM entry WHERE id = :entry;

-- name: idempotency_find
SELECT request, entry, uid, n, at FROM idempotency
WHERE conversation = :conversation AND user = :user AND key = :key;

-- name: idempotency_insert
INSERT INTO idempotency (conversation, user, key, request, entry, uid, n, at)
VALUES (:conversation, :user, :key, :request, :entry, :uid, :n, :at);
