/* bare_commit - DATABASE DIALOG SECONDS: the rows of a sent message, committed in a bare loop
 *
 * No request, no checks, no JSON: what SQLite and the disk allow one writer. Writes what a send by
 * one of ten members writes: the entry, two positions, and two events with their channel.
 * Prints commits, seconds, and the microseconds of p50 and p99.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"

static const char *const texts[] = {
    "BEGIN IMMEDIATE",
    "UPDATE conversation SET last_n = last_n + 1, last_at = ?2, activity_at = ?2 WHERE id = ?1",
    "INSERT INTO entry (uid, conversation, n, kind, author, content, at)"
    " SELECT ?3, id, last_n, 0, ?4, ?5, ?2 FROM conversation WHERE id = ?1",
    "UPDATE member SET read_n = c.last_n, unread_n = c.last_n FROM conversation c"
    " WHERE c.id = ?1 AND member.conversation = ?1 AND user = ?4",
    "UPDATE log_state SET head = head + 2 WHERE id = 1",
    "INSERT INTO event (seq, at, about, envelope, body)"
    " SELECT head - 1, ?2, ?1, ?6, ?7 FROM log_state",
    "INSERT INTO event_channel (channel, seq) SELECT ?8, head - 1 FROM log_state",
    "INSERT INTO event (seq, at, envelope, body) SELECT head, ?2, ?6, ?5 FROM log_state",
    "INSERT INTO event_channel (channel, seq) SELECT ?8, head FROM log_state",
    "COMMIT",
};

#define N_STATEMENTS (sizeof(texts) / sizeof(texts[0]))

static sqlite3 *db;
static sqlite3_stmt *statements[N_STATEMENTS];

static int
failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    return 1;
}

static int
open_database(const char *path)
{
    size_t i;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON", NULL, NULL, NULL) != SQLITE_OK)
        return failed(path);
    for (i = 0; i < N_STATEMENTS; i++) {
        if (sqlite3_prepare_v2(db, texts[i], -1, &statements[i], NULL) != SQLITE_OK)
            return failed(texts[i]);
    }
    return 0;
}

static int64_t
dialog_key(const char *uuid)
{
    sqlite3_stmt *st;
    int64_t key = 0;

    sqlite3_prepare_v2(db, "SELECT id FROM conversation WHERE lower(hex(uid)) = replace(?, '-', '')",
                       -1, &st, NULL);
    sqlite3_bind_text(st, 1, uuid, -1, SQLITE_STATIC);
    if (sqlite3_step(st) == SQLITE_ROW)
        key = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return key;
}

/* Binds what the statement has a place for; the rest is refused, which is fine. */
static int
commit_one(int64_t key, int64_t turn)
{
    static char content[201], body[481], envelope[91], channel[] =
        "dialog:00000000-0000-7000-8000-000000000000";
    unsigned char uid[16] = { 0 };
    char user[16];
    size_t i, byte;

    memset(content, 'c', 200);
    memset(body, 'b', 480);
    memset(envelope, 'e', 90);
    for (byte = 0; byte < 8; byte++)
        uid[byte] = (unsigned char)(turn >> (8 * (7 - byte)));
    snprintf(user, sizeof(user), "u%d", (int)(turn % 10));
    for (i = 0; i < N_STATEMENTS; i++) {
        sqlite3_stmt *st = statements[i];

        sqlite3_bind_int64(st, 1, key);
        sqlite3_bind_int64(st, 2, turn);
        sqlite3_bind_blob(st, 3, uid, sizeof(uid), SQLITE_STATIC);
        sqlite3_bind_text(st, 4, user, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 5, content, 200, SQLITE_STATIC);
        sqlite3_bind_blob(st, 6, envelope, 90, SQLITE_STATIC);
        sqlite3_bind_text(st, 7, body, 480, SQLITE_STATIC);
        sqlite3_bind_text(st, 8, channel, -1, SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE)
            return failed(texts[i]);
        sqlite3_reset(st);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct samples samples = { 0 };
    int64_t key, start, now, end, turn;

    if (argc != 4) {
        fprintf(stderr, "usage: bare_commit DATABASE DIALOG SECONDS\n");
        return 2;
    }
    if (open_database(argv[1]) != 0)
        return 1;
    if ((key = dialog_key(argv[2])) == 0)
        return failed("no such dialog");
    now = start = measure_now();
    end = start + (int64_t)(atof(argv[3]) * 1e9);
    for (turn = start; now < end; turn++) {
        int64_t before = now;

        if (commit_one(key, turn) != 0)
            return 1;
        now = measure_now();
        measure_add(&samples, now - before);
    }
    printf("%zu %.6f %.1f %.1f\n", samples.n, (double)(now - start) / 1e9,
           measure_percentile_us(&samples, 50), measure_percentile_us(&samples, 99));
    sqlite3_close(db);
    return 0;
}
