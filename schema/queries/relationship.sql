-- How agents of a room feel about each other.

-- name: relationship_set
INSERT INTO relationship (conversation, low, high, level)
VALUES (:conversation, :low, :high, :level)
ON CONFLICT DO UPDATE SET level = excluded.level;

-- Every pair, also those never set.
-- name: relationship_list
SELECT a.agent, b.agent, coalesce(r.level, 0.0)
FROM room_agent a JOIN room_agent b ON b.conversation = a.conversation AND b.agent > a.agent
LEFT JOIN relationship r ON r.conversation = a.conversation AND r.low = a.agent AND r.high = b.agent
WHERE a.conversation = :conversation
ORDER BY a.agent, b.agent;

-- name: relationship_of
SELECT b.agent, b.name, coalesce(r.level, 0.0)
FROM room_agent b
LEFT JOIN relationship r ON r.conversation = b.conversation
    AND r.low = min(b.agent, :agent) AND r.high = max(b.agent, :agent)
WHERE b.conversation = :conversation AND b.agent <> :agent
ORDER BY b.agent;
