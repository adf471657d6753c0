-- Rooms, and what was said and happened in them.

-- name: room_insert
INSERT INTO room (conversation, account, description, orchestration)
VALUES (:conversation, :account, :description, :orchestration);

-- Columns of all that read rooms: see store_room.c.
-- name: room_find
SELECT r.conversation, r.account, c.title, r.description, r.speed, r.orchestration, r.running,
       c.created_at, r.updated_at,
       (SELECT count(*) FROM room_agent x WHERE x.conversation = r.conversation)
FROM room r JOIN conversation c ON c.id = r.conversation
WHERE r.conversation = :conversation;

-- name: room_list
SELECT r.conversation, r.account, c.title, r.description, r.speed, r.orchestration, r.running,
       c.created_at, r.updated_at,
       (SELECT count(*) FROM room_agent x WHERE x.conversation = r.conversation)
FROM room r JOIN conversation c ON c.id = r.conversation
WHERE r.account = :account ORDER BY r.conversation;

-- name: room_list_all
SELECT r.conversation, r.account, c.title, r.description, r.speed, r.orchestration, r.running,
       c.created_at, r.updated_at,
       (SELECT count(*) FROM room_agent x WHERE x.conversation = r.conversation)
FROM room r JOIN conversation c ON c.id = r.conversation
ORDER BY r.conversation;

-- name: room_count
SELECT count(*) FROM room WHERE account = :account;

-- name: room_update
UPDATE room SET description = :description, speed = :speed, updated_at = :now
WHERE conversation = :conversation;

-- name: room_run
UPDATE room SET running = :running WHERE conversation = :conversation;

-- name: room_entry_insert
INSERT INTO room_entry (entry, conversation, sender, agent, type, agents)
VALUES (:entry, :conversation, :sender, :agent, :type, :agents);

-- name: room_entry_find
SELECT e.id, e.at, e.content, x.sender, x.agent, x.type, x.agents
FROM room_entry x JOIN entry e ON e.id = x.entry
WHERE x.entry = :entry AND x.conversation = :conversation;

-- name: room_message_before
SELECT e.id, e.at, e.content, x.sender, x.agent, x.type, x.agents
FROM room_entry x JOIN entry e ON e.id = x.entry
WHERE x.conversation = :conversation AND x.type IS NULL AND x.entry < :before
ORDER BY x.entry DESC LIMIT :limit;

-- name: room_message_since
SELECT e.id, e.at, e.content, x.sender, x.agent, x.type, x.agents
FROM room_entry x JOIN entry e ON e.id = x.entry
WHERE x.conversation = :conversation AND x.type IS NULL AND x.entry > :since
ORDER BY x.entry LIMIT :limit;

-- name: room_feed
SELECT e.id, e.at, e.content, x.sender, x.agent, x.type, x.agents
FROM entry e JOIN room_entry x ON x.entry = e.id
WHERE e.conversation = :conversation
ORDER BY e.n DESC LIMIT :limit;

-- What an agent said here, or was told, stays without it.
-- name: room_entry_unlink
UPDATE room_entry SET agent = NULL WHERE conversation = :conversation AND agent = :agent;
