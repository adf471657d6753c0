-- Keys of runners.

-- name: runner_key_insert
INSERT INTO runner_key (conversation, name, hash, webhook_url, webhook_secret, created_at)
VALUES (:conversation, :name, :hash, :webhook_url, :webhook_secret, :now)
RETURNING id;

-- name: runner_key_list
SELECT id, name, webhook_url, created_at, last_used_at FROM runner_key
WHERE conversation = :conversation ORDER BY id;

-- name: runner_key_find
SELECT k.id, k.conversation, k.last_used_at
FROM runner_key k JOIN room r ON r.conversation = k.conversation
JOIN account a ON a.id = r.account AND a.active
WHERE k.hash = :hash;

-- name: runner_key_of_account
SELECT k.id FROM room r JOIN runner_key k ON k.conversation = r.conversation
WHERE r.account = :account;

-- name: runner_key_used
UPDATE runner_key SET last_used_at = :now WHERE id = :key;

-- name: runner_key_delete
DELETE FROM runner_key WHERE id = :key AND conversation = :conversation;
