/* db_sqlite - the database driver on SQLite: the only user of sqlite3.h
 *
 * WAL with synchronous=FULL: a commit that was acknowledged is on disk. Where WAL cannot be had, or its shared memory
 * would not be shared (network file systems), a rollback journal. Statements are prepared
 * on first use and kept. Writers wait in line on a lock file (shared/db/writer_lock.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/db/db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/db/driver.h"
#include "shared/db/migrate.h"
#include "shared/db/network_fs.h"
#include "shared/db/writer_lock.h"
#include "shared/fault.h"
#include "shared/log.h"

/* A stranger (the sqlite3 shell, a backup) may hold the file: we wait for him this long. */
#define STRANGER_WAIT_MS 2000
/* Whoever opens a database that nobody else has open reads the whole write-ahead log. Where each request opens it
 * anew that log is kept below so many bytes: see let_checkpoint(). */
#define SHORT_WAL_MAX (256 * 1024)

struct db_row {
    struct db *db;
    sqlite3_stmt *stmt;
    int q;
    struct arena *arena;
    int rc;                     /* last result of SQLite; SQLITE_OK before the first step */
};

struct db {
    const struct db_schema *schema;
    sqlite3 *sqlite;
    struct writer_lock *lock;
    int write_wait_ms;
    bool writing, reading;
    bool short_lived, alone;
    char journal[16];           /* what SQLite made of our wish */
    int64_t n_statements;
    sqlite3_stmt *begin_read, *begin_write, *commit;    /* prepared on first use */
    struct db_row rows[];       /* of each query */
};

static enum err
to_err(struct db *db, int rc, const char *what)
{
    switch (rc) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return ERR_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return ERR_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return ERR_NOT_FOUND;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    }
    if ((rc & 0xff) == SQLITE_BUSY)
        return ERR_BUSY;
    log_event(LOG_LEVEL_ERROR, "database", "in", what, "code", log_number(rc), "why",
              sqlite3_errmsg(db->sqlite), NULL);
    return rc == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_READONLY
               ? ERR_BUSY : ERR_INTERNAL;
}

enum err
db_exec(struct db *db, const char *sql)
{
    return to_err(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL), sql);
}

enum err
db_pragma_int(struct db *db, const char *pragma, int64_t *value_r)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db->sqlite, pragma, -1, &stmt, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        *value_r = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return to_err(db, rc, pragma);
}

/* ---- opening ---- */

/* WAL needs memory that all who have the file open share, which a network file system cannot give to two hosts
 * (nor refuses to promise). SQLite itself keeps to a rollback journal where it sees that it cannot be had. */
static enum err
set_journal(struct db *db, const char *path)
{
    const char *pragma = network_fs(path) ? "PRAGMA journal_mode = TRUNCATE" : "PRAGMA journal_mode = WAL";
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db->sqlite, pragma, -1, &stmt, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        snprintf(db->journal, sizeof db->journal, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return to_err(db, rc, pragma);
}

const char *
db_journal(const struct db *db)
{
    return db->journal;
}

static enum err
set_up(struct db *db, const char *path, unsigned mode)
{
    int ignored;
    enum err e;

    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_timeout(db->sqlite, STRANGER_WAIT_MS);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
    if (mode & DB_SHORT)
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
    if ((e = set_journal(db, path)) != ERR_OK)
        return e;
    return db_exec(db, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;");
}

static enum err
check_version(struct db *db)
{
    int version;
    enum err e = migrate_version(db, &version);

    if (e == ERR_OK && version != *db->schema->n_steps) {
        log_event(LOG_LEVEL_ERROR, "schema", "database", log_number(version), "program",
                  log_number(*db->schema->n_steps), "remedy", "confabctl migrate", NULL);
        e = ERR_OLD_SCHEMA;
    }
    return e;
}

/* The lock that a writer takes for each transaction, or for as long as it is open. */
static enum err
open_lock(struct db *db, const char *path)
{
    enum err e;

    if ((db->lock = writer_lock_open(path)) == NULL)
        return ERR_BUSY;
    if (!db->alone)
        return ERR_OK;
    if ((e = writer_lock_take(db->lock, db->write_wait_ms)) != ERR_OK)
        log_event(LOG_LEVEL_ERROR, "database", "open", path, "why", "another process has it", NULL);
    return e;
}

const struct db_schema *
db_schema(const struct db *db)
{
    return db->schema;
}

enum err
db_open(const char *path, unsigned mode, int write_wait_ms, struct db **db_r)
{
    return db_open_as(&db_schema_chat, path, mode, write_wait_ms, db_r);
}

enum err
db_open_as(const struct db_schema *schema, const char *path, unsigned mode, int write_wait_ms,
           struct db **db_r)
{
    struct db *db = calloc(1, sizeof *db + (size_t)schema->n_queries * sizeof *db->rows);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    enum err e;

    if (db == NULL)
        return ERR_NO_MEMORY;
    db->write_wait_ms = write_wait_ms;
    db->schema = schema;
    db->short_lived = mode & DB_SHORT;
    db->alone = mode & DB_ALONE;
    if (mode & DB_CREATE)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &db->sqlite, flags, NULL) != SQLITE_OK) {
        log_event(LOG_LEVEL_ERROR, "database", "open", path, "why",
                  sqlite3_errmsg(db->sqlite), NULL);
        e = ERR_BUSY;
    } else if ((e = set_up(db, path, mode)) == ERR_OK && !(mode & DB_ANY_VERSION)) {
        e = check_version(db);
    }
    if (e == ERR_OK)
        e = open_lock(db, path);
    if (e != ERR_OK) {
        db_close(db);
        return e;
    }
    *db_r = db;
    return ERR_OK;
}

/* The last one to close a database checkpoints and removes the log, which costs two flushes; a short-lived process
 * leaves that be. But if all of them did, and none ever met another, the log would grow for ever: each opens it with
 * a recovery, after which nothing counts as checkpointed and so the log is never begun anew. */
static void
let_checkpoint(struct db *db)
{
    struct stat wal;
    int ignored;

    if (db->short_lived && db->sqlite != NULL
        && stat(sqlite3_filename_wal(sqlite3_db_filename(db->sqlite, "main")), &wal) == 0
        && wal.st_size > SHORT_WAL_MAX)
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, &ignored);
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    let_checkpoint(db);
    for (int i = 0; i < db->schema->n_queries; i++)
        sqlite3_finalize(db->rows[i].stmt);
    sqlite3_finalize(db->begin_read);
    sqlite3_finalize(db->begin_write);
    sqlite3_finalize(db->commit);
    sqlite3_close(db->sqlite);
    writer_lock_close(db->lock);
    free(db);
}

/* ---- transactions ---- */

/* Like db_exec() for a statement that every request runs. */
static enum err
run_kept(struct db *db, sqlite3_stmt **kept, const char *sql)
{
    int rc = SQLITE_OK;

    if (*kept == NULL)
        rc = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_step(*kept);
        rc = sqlite3_reset(*kept);
    }
    return to_err(db, rc, sql);
}

enum err
db_begin_write(struct db *db)
{
    enum err e = db->alone ? ERR_OK : writer_lock_take(db->lock, db->write_wait_ms);

    if (e != ERR_OK)
        return e;
    FAULT("write.locked");
    if ((e = run_kept(db, &db->begin_write, "BEGIN IMMEDIATE")) != ERR_OK) {
        if (!db->alone)
            writer_lock_give(db->lock);
        return e;
    }
    db->writing = true;
    FAULT("write.begun");
    return ERR_OK;
}

enum err
db_begin_read(struct db *db)
{
    enum err e = run_kept(db, &db->begin_read, "BEGIN");

    db->reading = e == ERR_OK;
    return e;
}

enum err
db_end(struct db *db, enum err e)
{
    if (!db_in_transaction(db))
        return e;
    if (e == ERR_OK)
        e = run_kept(db, &db->commit, "COMMIT");
    if (e != ERR_OK && !sqlite3_get_autocommit(db->sqlite))
        db_exec(db, "ROLLBACK");
    if (db->writing && !db->alone)
        writer_lock_give(db->lock);
    db->writing = db->reading = false;
    return e;
}

bool
db_in_transaction(const struct db *db)
{
    return db->writing || db->reading;
}

enum err
db_version(struct db *db, int64_t *version_r)
{
    return db_pragma_int(db, "PRAGMA data_version", version_r);
}

int64_t
db_statements(const struct db *db)
{
    return db->n_statements;
}

/* ---- one statement ---- */

struct db_row *
db_query(struct db *db, int q, struct arena *a)
{
    struct db_row *r = &db->rows[q];

    r->db = db;
    r->q = q;
    r->arena = a;
    r->rc = SQLITE_OK;
    if (r->stmt == NULL)
        r->rc = sqlite3_prepare_v3(db->sqlite, db->schema->query_text[q], -1,
                                   SQLITE_PREPARE_PERSISTENT, &r->stmt, NULL);
    db->n_statements++;
    return r;
}

/* Our own mistake when a name is wrong: every caller is tested. */
static int
parameter(struct db_row *r, const char *name)
{
    int i = r->stmt == NULL ? 0 : sqlite3_bind_parameter_index(r->stmt, name);

    if (i == 0 && r->rc == SQLITE_OK) {
        log_event(LOG_LEVEL_ERROR, "query", "name", r->db->schema->query_name[r->q], "no_parameter",
                  name, NULL);
        r->rc = SQLITE_MISUSE;
    }
    return i;
}

static void
bound(struct db_row *r, int rc)
{
    if (r->rc == SQLITE_OK)
        r->rc = rc;
}

void
db_bind_int(struct db_row *r, const char *name, int64_t v)
{
    int i = parameter(r, name);

    if (i != 0)
        bound(r, sqlite3_bind_int64(r->stmt, i, v));
}

void
db_bind_real(struct db_row *r, const char *name, double v)
{
    int i = parameter(r, name);

    if (i != 0)
        bound(r, sqlite3_bind_double(r->stmt, i, v));
}

void
db_bind_text(struct db_row *r, const char *name, const char *v)
{
    int i = parameter(r, name);

    if (i != 0)
        bound(r, sqlite3_bind_text(r->stmt, i, v, -1, SQLITE_STATIC));
}

void
db_bind_blob(struct db_row *r, const char *name, const void *p, size_t len)
{
    int i = parameter(r, name);

    if (i != 0)
        bound(r, sqlite3_bind_blob64(r->stmt, i, p, len, SQLITE_STATIC));
}

/* Bound as text that is not NUL-terminated: an event's body. */
void
db_bind_text_n(struct db_row *r, const char *name, const char *p, size_t len)
{
    int i = parameter(r, name);

    if (i != 0)
        bound(r, sqlite3_bind_text64(r->stmt, i, p, len, SQLITE_STATIC, SQLITE_UTF8));
}

void
db_bind_id(struct db_row *r, const char *name, const struct id *id)
{
    int i = parameter(r, name);

    if (i == 0)
        return;
    if (id != NULL && id->given)
        bound(r, sqlite3_bind_blob(r->stmt, i, id->bytes, sizeof id->bytes, SQLITE_STATIC));
    else
        bound(r, sqlite3_bind_null(r->stmt, i));
}

bool
db_step(struct db_row *r)
{
    if (r->rc != SQLITE_OK && r->rc != SQLITE_ROW)
        return false;
    r->rc = sqlite3_step(r->stmt);
    return r->rc == SQLITE_ROW;
}

int64_t
db_int(struct db_row *r, int column)
{
    return sqlite3_column_int64(r->stmt, column);
}

double
db_real(struct db_row *r, int column)
{
    return sqlite3_column_double(r->stmt, column);
}

bool
db_is_null(struct db_row *r, int column)
{
    return sqlite3_column_type(r->stmt, column) == SQLITE_NULL;
}

const char *
db_text(struct db_row *r, int column)
{
    const void *p = sqlite3_column_text(r->stmt, column);

    return p == NULL ? NULL
                     : arena_copy(r->arena, p, (size_t)sqlite3_column_bytes(r->stmt, column));
}

const void *
db_blob(struct db_row *r, int column, size_t *len_r)
{
    const void *p = sqlite3_column_blob(r->stmt, column);

    *len_r = (size_t)sqlite3_column_bytes(r->stmt, column);
    return p == NULL ? NULL : arena_copy(r->arena, p, *len_r);
}

struct id
db_id(struct db_row *r, int column)
{
    struct id id = { 0 };

    if (sqlite3_column_bytes(r->stmt, column) == (int)sizeof id.bytes) {
        memcpy(id.bytes, sqlite3_column_blob(r->stmt, column), sizeof id.bytes);
        id.given = true;
    }
    return id;
}

enum err
db_done(struct db_row *r)
{
    enum err e = to_err(r->db, r->rc, r->db->schema->query_name[r->q]);

    if (r->stmt != NULL) {
        sqlite3_reset(r->stmt);
        sqlite3_clear_bindings(r->stmt);
    }
    return e;
}

enum err
db_run(struct db_row *r, int64_t *changed_r)
{
    enum err e;

    db_step(r);
    e = db_done(r);
    if (changed_r != NULL)
        *changed_r = e == ERR_OK ? sqlite3_changes64(r->db->sqlite) : 0;
    return e;
}
