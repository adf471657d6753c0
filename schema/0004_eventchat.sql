-- Event chat: meetings, the chats of two that people open with their owners, photos.
--
-- A chat is a conversation of the system 'eventchat' with exactly two members, the applicant and the
-- owner of the meeting; its messages are entries, whose numbers have no holes.

-- What its clients call an event. icons: a JSON array of texts. from_s, to_s: Unix seconds.
CREATE TABLE meeting (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    icons      TEXT NOT NULL,
    location   TEXT NOT NULL,
    from_s     INTEGER NOT NULL,
    to_s       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What a conversation that is a chat has besides. token: its id outside. granted only when requested.
CREATE TABLE chat (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    token        TEXT NOT NULL UNIQUE,
    meeting      INTEGER NOT NULL REFERENCES meeting (id),
    applicant    TEXT NOT NULL,
    requested    INTEGER NOT NULL DEFAULT 0,
    granted      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (meeting, applicant),
    CHECK (granted <= requested)
) STRICT;

-- What an entry of a chat has besides, when it has any: references to photos, a JSON array of texts.
CREATE TABLE entry_photos (
    entry  INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    photos TEXT NOT NULL
) STRICT;

-- A photo that was given to us to keep. The bytes are a file of that name. type: as its first bytes say, an
-- enum in fcgi/eventchat. Until stored it is announced: its bytes count, and it cannot be fetched.
CREATE TABLE photo (
    name       TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    type       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    stored     INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX photo_user ON photo (user, bytes);
CREATE INDEX photo_announced ON photo (created_at) WHERE stored = 0;
