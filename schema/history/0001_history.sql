-- 0001_history - durable streams of the push server
-- SPDX-License-Identifier: MIT
--
-- One process writes here. Times are Unix milliseconds.

-- The epoch of streams to come.
CREATE TABLE next_epoch (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    epoch   TEXT NOT NULL
) STRICT;

-- A channel's stream. Publications before `first` have left the window, whether or not they are
-- still in the file. The rules are those it was last published with. `id` changes when a channel is
-- forgotten and begins anew.
CREATE TABLE stream (
    channel         TEXT PRIMARY KEY,
    id              INTEGER NOT NULL,
    epoch           TEXT NOT NULL,
    top             INTEGER NOT NULL,
    first           INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    ttl_ms          INTEGER NOT NULL,
    meta_ttl_ms     INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    version_epoch   TEXT NOT NULL,
    published_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE publication (
    stream  INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    data    TEXT NOT NULL,
    info    TEXT,
    tags    TEXT,
    delta   INTEGER NOT NULL,
    PRIMARY KEY (stream, offset)
) STRICT, WITHOUT ROWID;

-- What publications with an idempotency key were answered.
CREATE TABLE idempotency (
    channel TEXT NOT NULL,
    key     TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    epoch   TEXT NOT NULL,
    offset  INTEGER NOT NULL,
    PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_time ON idempotency (time_ms);

-- Publications that are to be deleted, from first up to before last: some in each transaction.
CREATE TABLE gone (
    id      INTEGER PRIMARY KEY,
    stream  INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL
) STRICT;
