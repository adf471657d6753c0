-- Agents, and which room they are in.

-- name: agent_insert
INSERT INTO agent (account, name, character, avatar, mood, level, created_at)
VALUES (:account, :name, :character, :avatar, :mood, :level, :now)
RETURNING id;

-- name: agent_find
SELECT id, name, character, avatar, mood, level FROM agent
WHERE id = :agent AND account = :account;

-- name: agent_own
SELECT id, name, character, avatar, mood, level FROM agent WHERE account = :account ORDER BY id;

-- name: agent_mood
UPDATE agent SET mood = :mood, level = :level WHERE id = :agent;

-- name: agent_of_room
SELECT a.id, a.name, a.character, a.avatar, a.mood, a.level, x.narrator
FROM room_agent x JOIN agent a ON a.id = x.agent
WHERE x.conversation = :conversation AND x.agent = :agent;

-- name: agent_in_room
SELECT a.id, a.name, a.character, a.avatar, a.mood, a.level, x.narrator
FROM room_agent x JOIN agent a ON a.id = x.agent
WHERE x.conversation = :conversation ORDER BY x.agent;

-- name: room_agent_insert
INSERT INTO room_agent (conversation, agent, name, narrator)
VALUES (:conversation, :agent, :name, :narrator);

-- Edges, memories and plans of this room go with it.
-- name: room_agent_delete
DELETE FROM room_agent WHERE conversation = :conversation AND agent = :agent;

-- name: agent_delete_homeless
DELETE FROM agent
WHERE id = :agent AND NOT EXISTS (SELECT 1 FROM room_agent x WHERE x.agent = agent.id);

-- name: agent_delete_of
DELETE FROM agent WHERE account = :account;
