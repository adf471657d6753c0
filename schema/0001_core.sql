-- The core: conversations, entries, participants, the event log, who hears what, who is online.
--
-- Times are Unix milliseconds. A user is (system, text). seq numbers have no holes and stand in
-- commit order; entry numbers (n) rise within a conversation and are never used again.

-- One row. head: the newest seq. Events above floor are still held.
CREATE TABLE log_state (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    head  INTEGER NOT NULL,
    floor INTEGER NOT NULL
) STRICT;
INSERT INTO log_state (id, head, floor) VALUES (1, 0, 0);

-- envelope: kind, channels, operations and the like (shared/event.h). body: what clients get;
-- empty once what it speaks of (about, an entry) was deleted.
CREATE TABLE event (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    about    INTEGER,
    envelope BLOB NOT NULL,
    body     TEXT NOT NULL
) STRICT;
CREATE INDEX event_about ON event (about) WHERE about IS NOT NULL;

-- What may be replayed, by channel. Live-only events have no rows here.
CREATE TABLE event_channel (
    channel TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (channel, seq)
) STRICT, WITHOUT ROWID;

-- Who heard what, when: from_seq <= seq < until_seq. Open rows (until_seq IS NULL) are the
-- subscriptions of now; closed ones answer for the past until the log is pruned past them.
CREATE TABLE audience (
    system    TEXT NOT NULL,
    user      TEXT NOT NULL,
    channel   TEXT NOT NULL,
    from_seq  INTEGER NOT NULL,
    until_seq INTEGER,
    PRIMARY KEY (system, user, channel, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audience_open ON audience (channel) WHERE until_seq IS NULL;
CREATE INDEX audience_closed ON audience (until_seq) WHERE until_seq IS NOT NULL;

-- Random keys of this database. 'bus': what pushes are authenticated with.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO secret (name, value) VALUES ('bus', randomblob(32));

-- Runs of relays, a lease each; a run is one start of the program. A run that ended keeps its row,
-- without an endpoint, for a grace: so long its users still count as online, and a restart makes
-- nobody flicker.
CREATE TABLE relay (
    run      TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    endpoint TEXT,
    until    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What relays know: this run holds at least one socket of this user.
CREATE TABLE live_socket (
    system TEXT NOT NULL,
    user   TEXT NOT NULL,
    run    TEXT NOT NULL,
    PRIMARY KEY (system, user, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_socket_run ON live_socket (run);

-- What the world was last told. Only who is online has a row.
CREATE TABLE presence (
    system TEXT NOT NULL,
    user   TEXT NOT NULL,
    PRIMARY KEY (system, user)
) STRICT, WITHOUT ROWID;

-- object_*: the host's thing a conversation is about. last_*: the newest number or time ever given,
-- so that they only rise; activity_at: time of the newest entry, or of creation.
CREATE TABLE conversation (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uid          BLOB NOT NULL UNIQUE,
    system       TEXT NOT NULL,
    object_type  TEXT,
    object_id    TEXT,
    object_url   TEXT,
    title        TEXT,
    title_folded TEXT NOT NULL DEFAULT '',
    meta         TEXT,
    created_by   TEXT,
    created_at   INTEGER NOT NULL,
    activity_at  INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    last_n       INTEGER NOT NULL DEFAULT 0,
    last_ordinal INTEGER NOT NULL DEFAULT 0,
    members      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX conversation_object ON conversation (system, object_type, object_id);

-- An entry: kind 0 said by a user, 1 by the system (author NULL).
CREATE TABLE entry (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uid          BLOB NOT NULL,
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    n            INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    author       TEXT,
    content      TEXT NOT NULL,
    at           INTEGER NOT NULL,
    edited_at    INTEGER,
    reply_to     INTEGER REFERENCES entry (id) ON DELETE SET NULL,
    CHECK ((kind = 1) = (author IS NULL))
) STRICT;
CREATE UNIQUE INDEX entry_uid ON entry (conversation, uid);
-- The order of a conversation, and all that counting unread entries needs.
CREATE INDEX entry_order ON entry (conversation, n, kind, author);
CREATE INDEX entry_reply ON entry (reply_to) WHERE reply_to IS NOT NULL;

-- Contents that edits replaced.
CREATE TABLE entry_edit (
    entry   INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX entry_edit_entry ON entry_edit (entry);

-- A participant. read_n: position up to which he has read (NULL: never). unread_n: entries above
-- it count as unread; apart from read_n because whoever is added starts with nothing unread though
-- he has read nothing. ordinal: order of joining.
CREATE TABLE member (
    conversation   INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    system         TEXT NOT NULL,
    user           TEXT NOT NULL,
    ordinal        INTEGER NOT NULL,
    joined_as      INTEGER NOT NULL,
    joined_at      INTEGER NOT NULL,
    display_name   TEXT,
    company        TEXT,
    company_folded TEXT NOT NULL DEFAULT '',
    email          TEXT,
    phone          TEXT,
    notifications  INTEGER NOT NULL DEFAULT 1,
    archived       INTEGER NOT NULL DEFAULT 0,
    pinned         INTEGER NOT NULL DEFAULT 0,
    unarchived_at  INTEGER,
    read_n         INTEGER,
    unread_n       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_user ON member (system, user);
CREATE INDEX member_order ON member (conversation, ordinal);
-- archived stands in it, though always 1, so that SQLite prefers it to the primary key.
CREATE INDEX member_archived ON member (conversation, archived) WHERE archived = 1;

-- Who may discover and join a conversation. n: number of values over all levels.
CREATE TABLE scope (
    id           INTEGER PRIMARY KEY,
    uid          BLOB NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    n            INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX scope_conversation ON scope (conversation);
CREATE INDEX scope_open ON scope (n) WHERE n = 0;

-- pair: level, ':' and the value, so that a caller's values are one list to compare with. ordinal:
-- the order in which the values were given.
CREATE TABLE scope_value (
    scope   INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
    level   INTEGER NOT NULL,
    pair    TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (scope, level, pair)
) STRICT, WITHOUT ROWID;
CREATE INDEX scope_value_pair ON scope_value (pair);

-- Sends that carried a key. The first answer is made again from the repeated request and the
-- identity kept here; contents are not kept twice.
CREATE TABLE idempotency (
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    user         TEXT NOT NULL,
    key          TEXT NOT NULL,
    request      BLOB NOT NULL,
    entry        INTEGER NOT NULL,
    uid          BLOB NOT NULL,
    n            INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (conversation, user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);
