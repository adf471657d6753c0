-- Access scopes.

-- name: scope_insert
INSERT INTO scope (uid, conversation, n, created_at) VALUES (:uid, :conversation, :n, :now)
RETURNING id;

-- name: scope_value_insert
INSERT INTO scope_value (scope, level, pair, ordinal) VALUES (:scope, :level, :pair, :ordinal)
ON CONFLICT DO NOTHING;

-- name: scope_list
SELECT s.id, s.uid, s.created_at, v.level, v.pair
FROM scope s LEFT JOIN scope_value v ON v.scope = s.id
WHERE s.conversation = :conversation
ORDER BY s.id, v.level, v.ordinal;

-- name: scope_delete_all
DELETE FROM scope WHERE conversation = :conversation;

-- name: scope_matches
SELECT EXISTS (SELECT 1 FROM scope s WHERE s.conversation = :conversation AND NOT EXISTS (
    SELECT 1 FROM scope_value v WHERE v.scope = s.id GROUP BY v.level
    HAVING sum(v.pair IN (SELECT value FROM json_each(:mine))) = 0));
