-- Participants.

-- name: member_insert
INSERT INTO member (conversation, system, user, ordinal, joined_as, joined_at, display_name, company,
                    company_folded, email, phone, unread_n)
VALUES (:conversation, :system, :user, :ordinal, :joined_as, :now, :display_name, :company,
        :company_folded, :email, :phone,
        CASE WHEN :all_unread THEN 0
             ELSE (SELECT last_n FROM conversation WHERE id = :conversation) END);

-- name: member_delete
DELETE FROM member WHERE conversation = :conversation AND user = :user
RETURNING display_name;

-- name: member_me
SELECT m.read_n, m.unread_n, m.archived, m.pinned, m.notifications, m.display_name
FROM member m WHERE m.conversation = :conversation AND m.user = :user;

-- Is anything there that counts as unread, above one position and up to another? Not how much:
-- somebody who was away for long would make every send count thousands of rows.
-- name: member_unread
SELECT EXISTS (SELECT 1 FROM entry
               WHERE conversation = :conversation AND n > :above AND n <= :up_to
                 AND kind = 0 AND author <> :user);

-- One participant or all of them. Counting is done for the caller's row (:viewer) or for all (:viewer NULL).
-- name: member_list
SELECT m.user, m.display_name, m.company, m.email, m.phone, m.joined_as, m.joined_at,
       m.notifications, m.archived, m.pinned,
       (SELECT e.uid FROM entry e WHERE e.conversation = m.conversation AND e.n <= m.read_n
        ORDER BY e.n DESC LIMIT 1),
       CASE WHEN :viewer IS NULL OR m.user = :viewer THEN
           (SELECT count(*) FROM entry u WHERE u.conversation = m.conversation
                AND u.n > m.unread_n AND u.kind = 0 AND u.author <> m.user) ELSE 0 END,
       EXISTS (SELECT 1 FROM live_socket s JOIN relay r ON r.run = s.run
               WHERE s.system = m.system AND s.user = m.user AND r.until > :now)
FROM member m
WHERE m.conversation = :conversation AND (:user IS NULL OR m.user = :user)
ORDER BY m.ordinal;

-- name: member_users
SELECT user FROM member WHERE conversation = :conversation ORDER BY ordinal;

-- name: member_set_archived
UPDATE member SET archived = :on,
    unarchived_at = CASE WHEN :on THEN unarchived_at ELSE :now END
WHERE conversation = :conversation AND user = :user;

-- name: member_set_pinned
UPDATE member SET pinned = :on WHERE conversation = :conversation AND user = :user;

-- name: member_set_notifications
UPDATE member SET notifications = :on WHERE conversation = :conversation AND user = :user;

-- A new message brings a conversation back for everybody who had put it away.
-- name: member_unarchive_all
UPDATE member SET archived = 0 WHERE conversation = :conversation AND archived = 1
RETURNING user;

-- name: member_set_read
UPDATE member SET read_n = :n, unread_n = :n WHERE conversation = :conversation AND user = :user;

-- Who has had nothing to see in a conversation since :before, and neither pinned it nor took it out of the
-- archive since.
-- name: member_idle
SELECT c.id, c.uid, m.user
FROM conversation c JOIN member m ON m.conversation = c.id
WHERE c.system = :system AND c.activity_at < :before AND m.archived = 0 AND m.pinned = 0
  AND m.joined_at < :before AND (m.unarchived_at IS NULL OR m.unarchived_at < :before)
ORDER BY c.id, m.ordinal LIMIT :limit;
