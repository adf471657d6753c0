-- Conversations: groups that everybody may join or look on at, one chat of all without names, and profiles.
--
-- A group is a conversation of the system 'conversations': created_by its creator, title its name. The
-- chat of all is the conversation 0: no row that is made gets this id, and nobody is its member.
INSERT INTO conversation (id, uid, system, created_at, activity_at, last_at)
VALUES (0, randomblob(16), 'conversations', 0, 0, 0);

-- One name for each creator; all groups in the order of their ids.
CREATE UNIQUE INDEX conversation_group_name ON conversation (created_by, title)
    WHERE system = 'conversations';
CREATE INDEX conversation_group ON conversation (id) WHERE system = 'conversations';

-- Who looks on at a group, until his last socket closes.
CREATE TABLE viewer (
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    user         TEXT NOT NULL,
    PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX viewer_user ON viewer (user);

-- How a user wants to be shown; '' is not known.
CREATE TABLE profile (
    system  TEXT NOT NULL,
    user    TEXT NOT NULL,
    name    TEXT NOT NULL DEFAULT '',
    picture TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (system, user)
) STRICT, WITHOUT ROWID;
