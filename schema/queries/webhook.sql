-- Messages on their way to webhooks.

-- name: webhook_insert
INSERT INTO webhook_delivery (uid, key, entry, agent, due_at)
SELECT :uid || '-' || id, id, :entry, :agent, :now
FROM runner_key WHERE conversation = :conversation AND webhook_url IS NOT NULL
RETURNING key;

-- The oldest of a key's, beyond :max.
-- name: webhook_shed
DELETE FROM webhook_delivery
WHERE key = :key AND id <= (SELECT n.id FROM webhook_delivery n WHERE n.key = :key
                            ORDER BY n.id DESC LIMIT 1 OFFSET :max);

-- name: webhook_next
SELECT min(due_at) FROM (
    SELECT min(due_at) AS due_at FROM webhook_delivery WHERE claimed = 0 AND due_at > :now
    UNION ALL
    SELECT min(due_at) FROM webhook_delivery WHERE claimed = 1 AND due_at > :now);

-- What may be claimed: at most one of each key at a time, and :share of each account; so whoever does not answer holds
-- up himself. The keys are stepped through, not their rows: one may have very many. (CROSS JOIN: in this order, whatever
-- tables are large.)
-- name: webhook_pick
WITH RECURSIVE
waiting (key) AS (
    SELECT min(key) FROM webhook_delivery
    UNION ALL
    SELECT (SELECT min(d.key) FROM webhook_delivery d WHERE d.key > w.key) FROM waiting w
    WHERE w.key IS NOT NULL),
busy (key, account) AS MATERIALIZED (
    SELECT d.key, r.account
    FROM webhook_delivery d CROSS JOIN runner_key k ON k.id = d.key
    CROSS JOIN room r ON r.conversation = k.conversation
    WHERE d.claimed = 1 AND d.due_at > :now),
first (id, account) AS MATERIALIZED (
    SELECT coalesce((SELECT d.id FROM webhook_delivery d
                     WHERE d.key = k.id AND d.claimed = 1 AND d.due_at <= :now ORDER BY d.due_at LIMIT 1),
                    (SELECT d.id FROM webhook_delivery d
                     WHERE d.key = k.id AND d.claimed = 0 AND d.due_at <= :now ORDER BY d.due_at LIMIT 1)),
           r.account
    FROM waiting w CROSS JOIN runner_key k ON k.id = w.key
    CROSS JOIN room r ON r.conversation = k.conversation CROSS JOIN account a ON a.id = r.account AND a.active
    WHERE k.id NOT IN (SELECT key FROM busy)),
turn (id, n) AS (
    SELECT f.id, row_number() OVER (PARTITION BY f.account ORDER BY f.id)
                 + (SELECT count(*) FROM busy b WHERE b.account = f.account)
    FROM first f WHERE f.id IS NOT NULL)
SELECT id FROM turn WHERE n <= :share ORDER BY n, id LIMIT :limit;

-- Unless another was quicker.
-- name: webhook_claim
UPDATE webhook_delivery AS d SET claimed = 1, due_at = :until
WHERE id = :id AND due_at <= :now AND NOT EXISTS (
    SELECT 1 FROM webhook_delivery o WHERE o.key = d.key AND o.claimed = 1 AND o.due_at > :now);

-- name: webhook_find
SELECT d.uid, d.tries, k.id, k.webhook_url, k.webhook_secret, k.conversation,
       e.id, e.at, e.content, x.sender, d.agent
FROM webhook_delivery d JOIN runner_key k ON k.id = d.key
JOIN entry e ON e.id = d.entry JOIN room_entry x ON x.entry = d.entry
WHERE d.id = :id;

-- Only by whoever still holds the claim.
-- name: webhook_delete
DELETE FROM webhook_delivery WHERE id = :id AND claimed = 1 AND due_at = :until;

-- name: webhook_again
UPDATE webhook_delivery SET claimed = 0, tries = tries + 1, due_at = :due
WHERE id = :id AND claimed = 1 AND due_at = :until;
