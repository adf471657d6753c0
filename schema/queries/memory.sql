-- What agents remember of a room.

-- name: memory_insert
INSERT INTO memory (conversation, agent, content, importance, at)
VALUES (:conversation, :agent, :content, :importance, :now)
RETURNING id;

-- name: memory_list
SELECT id, content, importance, at FROM memory
WHERE conversation = :conversation AND agent = :agent
ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- name: memory_key
SELECT id, content, importance, at FROM memory
WHERE conversation = :conversation AND agent = :agent
ORDER BY importance DESC, id DESC LIMIT :limit;

-- name: memory_count
SELECT count(*) FROM memory WHERE conversation = :conversation AND agent = :agent;
