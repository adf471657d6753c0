-- Groups of the system conversations, who looks on at them, and the chat of all (conversation 0). The system
-- stands in these statements as it does in its indexes.

-- :user is in it, looks on at it?
-- name: group_find
SELECT c.id, c.title, c.created_by, c.members,
       (SELECT count(*) FROM viewer v WHERE v.conversation = c.id),
       EXISTS (SELECT 1 FROM member m WHERE m.conversation = c.id AND m.user = :user),
       EXISTS (SELECT 1 FROM viewer v WHERE v.conversation = c.id AND v.user = :user)
FROM conversation c
WHERE c.id = :group AND c.id > 0 AND c.system = 'conversations';

-- Groups of a user, with what is only his: unread messages, the newest one and its author's picture.
-- name: group_mine
SELECT c.id, c.title, c.created_by, c.members,
       (SELECT count(*) FROM viewer v WHERE v.conversation = c.id),
       (SELECT count(*) FROM entry u WHERE u.conversation = c.id AND u.n > m.unread_n
           AND u.kind = 0 AND u.author <> m.user),
       l.content, p.picture
FROM (SELECT conversation, user, unread_n FROM member
      WHERE system = 'conversations' AND user = :user
      ORDER BY conversation LIMIT :limit OFFSET :offset) m
JOIN conversation c ON c.id = m.conversation
LEFT JOIN entry l ON l.conversation = c.id
    AND l.n = (SELECT n FROM entry WHERE conversation = c.id ORDER BY n DESC LIMIT 1)
LEFT JOIN profile p ON p.system = 'conversations' AND p.user = l.author
ORDER BY c.id;

-- Groups he is not in. Left alone, SQLite would take an index over all of the system and sort.
-- name: group_others
SELECT c.id, c.title, c.created_by, c.members,
       (SELECT count(*) FROM viewer v WHERE v.conversation = c.id)
FROM conversation c INDEXED BY conversation_group
WHERE c.system = 'conversations' AND c.id > 0
  AND NOT EXISTS (SELECT 1 FROM member m WHERE m.conversation = c.id AND m.user = :user)
ORDER BY c.id LIMIT :limit OFFSET :offset;

-- Newest first; authors as they are shown now.
-- name: group_page
SELECT e.id, e.author, p.name, p.picture, e.content, e.at
FROM entry e LEFT JOIN profile p ON p.system = 'conversations' AND p.user = e.author
WHERE e.conversation = :group
ORDER BY e.n DESC LIMIT :limit OFFSET :offset;

-- The chat of all, newest first: no author, to nobody.
-- name: global_page
SELECT id, content, at FROM entry WHERE conversation = 0 ORDER BY n DESC LIMIT :limit OFFSET :offset;

-- name: group_members
SELECT m.user, p.name, p.picture
FROM member m LEFT JOIN profile p ON p.system = 'conversations' AND p.user = m.user
WHERE m.conversation = :group ORDER BY m.ordinal;

-- name: group_read
UPDATE member SET read_n = c.last_n, unread_n = c.last_n
FROM conversation c WHERE c.id = member.conversation
  AND member.conversation = :group AND member.user = :user;

-- name: viewer_insert
INSERT INTO viewer (conversation, user) VALUES (:group, :user);

-- name: viewer_delete
DELETE FROM viewer WHERE conversation = :group AND user = :user;

-- name: viewer_count
SELECT count(*) FROM viewer WHERE conversation = :group;

-- name: viewer_of
SELECT conversation FROM viewer WHERE user = :user ORDER BY conversation;
