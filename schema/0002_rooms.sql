-- Rooms: accounts, rooms with agents in them, what happens there, how agents feel about each other,
-- what they remember and plan, and the keys of runners.
--
-- A room is a conversation of the system 'rooms'; its messages and events are entries (kind 0 said,
-- 2 happened), so that they share one run, one sequence of ids and strictly rising times.

-- Somebody who may log in. email: trimmed, lower case. password: an argon2id string.
CREATE TABLE account (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    email      TEXT NOT NULL UNIQUE,
    username   TEXT NOT NULL,
    password   TEXT NOT NULL,
    active     INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

-- Each login begins a family; a token is exchanged once for the next of its family. One that is used
-- again was stolen from somebody: the family goes.
CREATE TABLE refresh_token (
    hash       BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    family     BLOB NOT NULL,
    used       INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_token_account ON refresh_token (account);
CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at);

-- What a conversation that is a room has besides; its name is the title. orchestration: 1 single,
-- 2 circular, 3 narrator, 4 full_context. updated_at: NULL until the first change.
CREATE TABLE room (
    conversation  INTEGER PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    account       INTEGER NOT NULL REFERENCES account (id),
    description   TEXT,
    speed         REAL NOT NULL DEFAULT 1.0,
    orchestration INTEGER NOT NULL,
    running       INTEGER NOT NULL DEFAULT 0,
    updated_at    INTEGER
) STRICT;
CREATE INDEX room_account ON room (account);

-- A character of an account's; in one room or several. mood: 1 happy, 2 neutral, 3 sad, 4 angry,
-- 5 excited.
CREATE TABLE agent (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account (id),
    name       TEXT NOT NULL,
    character  TEXT NOT NULL,
    avatar     TEXT,
    mood       INTEGER NOT NULL,
    level      REAL NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_account ON agent (account);

-- Who is in a room. name is the agent's, here so that it is unique in the room. narrator: of a narrator
-- room, and not to be removed from it.
CREATE TABLE room_agent (
    conversation INTEGER NOT NULL REFERENCES room (conversation) ON DELETE CASCADE,
    agent        INTEGER NOT NULL REFERENCES agent (id),
    name         TEXT NOT NULL,
    narrator     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, agent),
    UNIQUE (conversation, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_agent_agent ON room_agent (agent);

-- One edge a pair, of agents that are in the room; a pair without a row stands at 0.
CREATE TABLE relationship (
    conversation INTEGER NOT NULL,
    low          INTEGER NOT NULL,
    high         INTEGER NOT NULL,
    level        REAL NOT NULL,
    PRIMARY KEY (conversation, low, high),
    FOREIGN KEY (conversation, low) REFERENCES room_agent (conversation, agent) ON DELETE CASCADE,
    FOREIGN KEY (conversation, high) REFERENCES room_agent (conversation, agent) ON DELETE CASCADE,
    CHECK (low < high)
) STRICT, WITHOUT ROWID;
CREATE INDEX relationship_high ON relationship (conversation, high);

-- What an agent remembers of this room, and what it is about to do there.
CREATE TABLE memory (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL,
    agent        INTEGER NOT NULL,
    content      TEXT NOT NULL,
    importance   REAL NOT NULL,
    at           INTEGER NOT NULL,
    FOREIGN KEY (conversation, agent) REFERENCES room_agent (conversation, agent) ON DELETE CASCADE
) STRICT;
CREATE INDEX memory_agent ON memory (conversation, agent);
CREATE INDEX memory_importance ON memory (conversation, agent, importance);

-- status: 1 pending, 2 in_progress, 3 done.
CREATE TABLE plan (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL,
    agent        INTEGER NOT NULL,
    description  TEXT NOT NULL,
    status       INTEGER NOT NULL,
    FOREIGN KEY (conversation, agent) REFERENCES room_agent (conversation, agent) ON DELETE CASCADE
) STRICT;
CREATE INDEX plan_agent ON plan (conversation, agent);

-- What an entry of a room has besides. A message: sender, and the agent who spoke or is spoken to (NULL once
-- that left the room). An event: its type and the ids it concerns, a JSON array.
CREATE TABLE room_entry (
    entry        INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    conversation INTEGER NOT NULL,
    sender       TEXT,
    agent        INTEGER,
    type         TEXT,
    agents       TEXT,
    CHECK ((sender IS NULL) = (type IS NOT NULL))
) STRICT;
-- Messages alone in the order of their ids (the row's key stands behind each).
CREATE INDEX room_entry_message ON room_entry (conversation) WHERE type IS NULL;
CREATE INDEX room_entry_agent ON room_entry (conversation, agent) WHERE agent IS NOT NULL;

-- A program that lets the agents of one room speak. hash: of the key, which is shown only once.
CREATE TABLE runner_key (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation   INTEGER NOT NULL REFERENCES room (conversation) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    hash           BLOB NOT NULL UNIQUE,
    webhook_url    TEXT,
    webhook_secret TEXT,
    created_at     INTEGER NOT NULL,
    last_used_at   INTEGER
) STRICT;
CREATE INDEX runner_key_conversation ON runner_key (conversation);

-- A message that a key's webhook has yet to be told of. uid: what the receiver knows it by, over all tries. agent: whom it
-- was addressed to then. claimed: a relay is at it, until due_at; else due_at is when it may be tried.
CREATE TABLE webhook_delivery (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    uid     TEXT NOT NULL,
    key     INTEGER NOT NULL REFERENCES runner_key (id) ON DELETE CASCADE,
    entry   INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    agent   INTEGER,
    tries   INTEGER NOT NULL DEFAULT 0,
    claimed INTEGER NOT NULL DEFAULT 0,
    due_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_delivery_key ON webhook_delivery (key, claimed, due_at);
CREATE INDEX webhook_delivery_due ON webhook_delivery (claimed, due_at);
CREATE INDEX webhook_delivery_entry ON webhook_delivery (entry);
