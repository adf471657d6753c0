-- queries of the file of durable streams; SPDX-License-Identifier: MIT

-- name: epoch_get
SELECT epoch FROM next_epoch;

-- name: epoch_set
INSERT INTO next_epoch (one, epoch) VALUES (1, :epoch)
ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch;

-- name: stream_put
INSERT INTO stream (channel, id, epoch, top, first, size, ttl_ms, meta_ttl_ms, version,
                    version_epoch, published_ms)
VALUES (:channel, :id, :epoch, :top, :first, :size, :ttl_ms, :meta_ttl_ms, :version,
        :version_epoch, :published_ms)
ON CONFLICT (channel) DO UPDATE SET
    id = excluded.id, epoch = excluded.epoch, top = excluded.top, first = excluded.first,
    size = excluded.size, ttl_ms = excluded.ttl_ms, meta_ttl_ms = excluded.meta_ttl_ms,
    version = excluded.version, version_epoch = excluded.version_epoch,
    published_ms = excluded.published_ms;

-- name: stream_replaced
-- What an earlier stream of the channel left, which could not be forgotten.
INSERT INTO gone (stream, first, last)
SELECT id, first, top + 1 FROM stream WHERE channel = :channel AND id <> :id;

-- name: stream_trim
UPDATE stream SET first = :first WHERE channel = :channel AND id = :id;

-- name: stream_delete
DELETE FROM stream WHERE channel = :channel AND id = :id;

-- name: stream_all
SELECT channel, id, epoch, top, first, size, ttl_ms, meta_ttl_ms, version, version_epoch,
       published_ms
FROM stream ORDER BY published_ms DESC;

-- name: stream_last_id
SELECT max(coalesce((SELECT max(id) FROM stream), 0),
           coalesce((SELECT max(stream) FROM gone), 0),
           coalesce((SELECT max(stream) FROM publication), 0));

-- name: publication_put
INSERT OR REPLACE INTO publication (stream, offset, time_ms, data, info, tags, delta)
VALUES (:stream, :offset, :time_ms, :data, :info, :tags, :delta);

-- name: publication_window
SELECT offset, time_ms, data, info, tags, delta FROM publication
WHERE stream = :stream AND offset >= :first ORDER BY offset DESC;

-- name: publication_oldest
SELECT min(offset) FROM publication WHERE stream = :stream;

-- name: publication_drop
DELETE FROM publication WHERE stream = :stream AND offset >= :first AND offset < :last;

-- name: gone_put
INSERT INTO gone (stream, first, last) VALUES (:stream, :first, :last);

-- name: gone_get
SELECT id, stream, first, last FROM gone ORDER BY id LIMIT 1;

-- name: gone_move
UPDATE gone SET first = :first WHERE id = :id;

-- name: gone_delete
DELETE FROM gone WHERE id = :id;

-- name: key_put
INSERT OR REPLACE INTO idempotency (channel, key, time_ms, epoch, offset)
VALUES (:channel, :key, :time_ms, :epoch, :offset);

-- name: key_all
SELECT channel, key, time_ms, epoch, offset FROM idempotency
WHERE time_ms > :since ORDER BY time_ms;

-- name: key_drop
DELETE FROM idempotency WHERE (channel, key) IN (
    SELECT channel, key FROM idempotency WHERE time_ms <= :until ORDER BY time_ms LIMIT :n);
