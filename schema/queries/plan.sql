-- What agents are about to do in a room.

-- name: plan_insert
INSERT INTO plan (conversation, agent, description, status)
VALUES (:conversation, :agent, :description, :status)
RETURNING id;

-- name: plan_find
SELECT id, description, status FROM plan
WHERE id = :plan AND conversation = :conversation AND agent = :agent;

-- name: plan_list
SELECT id, description, status FROM plan
WHERE conversation = :conversation AND agent = :agent
ORDER BY id;

-- name: plan_newest
SELECT id, description, status FROM plan
WHERE conversation = :conversation AND agent = :agent
ORDER BY id DESC LIMIT :limit;

-- name: plan_count
SELECT count(*) FROM plan WHERE conversation = :conversation AND agent = :agent;

-- name: plan_update
UPDATE plan SET description = :description, status = :status WHERE id = :plan;
