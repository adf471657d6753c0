-- Conversations as they are, and as a caller sees them.

-- name: conversation_insert
INSERT INTO conversation (uid, system, object_type, object_id, object_url, title, title_folded,
                          meta, created_by, created_at, activity_at, last_at)
VALUES (:uid, :system, :object_type, :object_id, :object_url, :title, :title_folded,
        :meta, :created_by, :now, :now, :now - 1)
RETURNING id;

-- name: conversation_find
SELECT id, uid, object_type, object_id, object_url, title, meta, created_by, created_at, members
FROM conversation WHERE uid = :uid AND system = :system;

-- name: conversation_of_object
SELECT id, uid, object_type, object_id, object_url, title, meta, created_by, created_at, members
FROM conversation
WHERE system = :system AND object_type = :object_type AND object_id = :object_id
ORDER BY created_at DESC, id DESC;

-- name: conversation_delete
DELETE FROM conversation WHERE id = :conversation;

-- The next entry's number and time: both only rise.
-- name: conversation_next_entry
UPDATE conversation
SET last_n = last_n + 1,
    last_at = CASE WHEN last_at < :now THEN :now ELSE last_at + 1 END,
    activity_at = CASE WHEN last_at < :now THEN :now ELSE last_at + 1 END
WHERE id = :conversation
RETURNING last_n, last_at;

-- Activity falls back to the newest entry that is left.
-- name: conversation_fall_back
UPDATE conversation
SET activity_at = coalesce((SELECT at FROM entry WHERE entry.conversation = conversation.id
                            ORDER BY n DESC LIMIT 1), created_at)
WHERE id = :conversation;

-- name: conversation_next_member
UPDATE conversation SET last_ordinal = last_ordinal + 1, members = members + 1
WHERE id = :conversation RETURNING last_ordinal;

-- name: conversation_less_member
UPDATE conversation SET members = members - 1 WHERE id = :conversation;

-- A member's conversations: one page, with what is only his, and the newest entry. Without a scope
-- header (:mine NULL) nothing is narrowed; with one, conversations that have scopes must match.
-- A scope matches when none of its levels has values of which not one is the caller's.
-- name: view_member
SELECT c.id, c.uid, c.object_type, c.object_id, c.object_url, c.title, c.meta, c.created_by,
       c.created_at, c.members,
       m.archived, m.pinned, m.notifications,
       (SELECT count(*) FROM entry u WHERE u.conversation = c.id AND u.n > m.unread_n
           AND u.kind = 0 AND u.author <> m.user),
       l.id, l.uid, l.n, l.kind, l.author, a.display_name, l.content, l.at
FROM (SELECT x.conversation AS key, x.pinned AS pinned, y.activity_at AS activity_at,
             y.created_at AS created_at, y.uid AS uid
      FROM member x JOIN conversation y ON y.id = x.conversation
      WHERE x.system = :system AND x.user = :user
        AND (:conversation IS NULL OR x.conversation = :conversation)
        AND (:archived IS NULL OR x.archived = :archived)
        AND (:object_type IS NULL OR (y.object_type = :object_type AND y.object_id = :object_id))
        AND (:search IS NULL OR y.title_folded LIKE :search ESCAPE '\'
             OR EXISTS (SELECT 1 FROM member z WHERE z.conversation = y.id
                        AND z.company_folded LIKE :search ESCAPE '\'))
        AND (:mine IS NULL
             OR NOT EXISTS (SELECT 1 FROM scope s WHERE s.conversation = y.id)
             OR EXISTS (SELECT 1 FROM scope s WHERE s.conversation = y.id AND NOT EXISTS (
                 SELECT 1 FROM scope_value v WHERE v.scope = s.id GROUP BY v.level
                 HAVING sum(v.pair IN (SELECT value FROM json_each(:mine))) = 0)))
      ORDER BY CASE WHEN :by_creation THEN 0 ELSE x.pinned END DESC,
               CASE WHEN :by_creation THEN y.created_at ELSE y.activity_at END DESC, y.uid DESC
      LIMIT :limit OFFSET :offset) p
JOIN conversation c ON c.id = p.key
JOIN member m ON m.conversation = p.key AND m.user = :user
LEFT JOIN entry l ON l.conversation = c.id
    AND l.n = (SELECT n FROM entry WHERE conversation = c.id ORDER BY n DESC LIMIT 1)
LEFT JOIN member a ON a.conversation = c.id AND a.user = l.author
ORDER BY CASE WHEN :by_creation THEN 0 ELSE p.pinned END DESC,
         CASE WHEN :by_creation THEN p.created_at ELSE p.activity_at END DESC, p.uid DESC;

-- Conversations that match the caller's scopes and that he is not in: no reading before joining,
-- so of the newest entry only its time. A scope without a single shared value can only match when it
-- has no values at all, which keeps the search to an index.
-- name: view_candidate
SELECT c.id, c.uid, c.object_type, c.object_id, c.object_url, c.title, c.meta, c.created_by,
       c.created_at, c.members,
       (SELECT at FROM entry WHERE conversation = c.id ORDER BY n DESC LIMIT 1)
FROM conversation c
WHERE c.system = :system
  AND c.id IN (
      SELECT s.conversation FROM scope s
      WHERE s.id IN (SELECT scope FROM scope_value
                     WHERE pair IN (SELECT value FROM json_each(:mine))
                     UNION SELECT id FROM scope WHERE n = 0)
        AND NOT EXISTS (SELECT 1 FROM scope_value v WHERE v.scope = s.id GROUP BY v.level
                        HAVING sum(v.pair IN (SELECT value FROM json_each(:mine))) = 0))
  AND NOT EXISTS (SELECT 1 FROM member m WHERE m.conversation = c.id AND m.user = :user)
  AND (:object_type IS NULL OR (c.object_type = :object_type AND c.object_id = :object_id))
  AND (:search IS NULL OR c.title_folded LIKE :search ESCAPE '\'
       OR EXISTS (SELECT 1 FROM member z WHERE z.conversation = c.id
                  AND z.company_folded LIKE :search ESCAPE '\'))
ORDER BY CASE WHEN :by_creation THEN c.created_at ELSE c.activity_at END DESC, c.uid DESC
LIMIT :limit OFFSET :offset;

-- Who is in the conversations of a page (:keys, a JSON array of row keys), in order of joining.
-- name: view_summaries
SELECT m.conversation, m.user, m.display_name, m.company
FROM json_each(:keys) k CROSS JOIN member m ON m.conversation = k.value
ORDER BY m.conversation, m.ordinal;
