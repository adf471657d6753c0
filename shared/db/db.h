/* db - the database driver interface
 *
 * One handle is one connection, used by one thread. Statements are the named queries of
 * schema/queries (enum query, made at build), or of the schema the file was opened with, prepared on first use
 * and kept. Nothing of SQLite's own shows here, so that another driver can stand behind it.
 *
 * Writers queue on a lock file beside the database (an open-file-description lock that the kernel
 * hands over) before BEGIN IMMEDIATE, instead of sleeping in SQLite's busy handler: with several
 * handler processes that is the difference between a p99 of one and of eight commits.
 *
 * Reading a row: db_query, bind by name order (db_bind_*), db_step until it returns false,
 * db_done. Text and blobs read are copied into the arena given at db_query.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_DB_DB_H
#define SHARED_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/id.h"
#include "schema/queries.h"             /* enum query, generated from schema/queries */

struct db;

/* What is in a file: its statements and the steps that make it, all embedded at build. */
struct db_schema {
    const char *const *query_text, *const *query_name;
    int n_queries;
    const char *const *step_text;
    const int *n_steps;
};

extern const struct db_schema db_schema_chat;       /* schema/ */
extern const struct db_schema db_schema_history;    /* schema/history/; enum history_query */

enum db_mode {
    DB_OPEN = 0,        /* an existing database with the schema version of this program */
    DB_ANY_VERSION = 1, /* any version: for confabctl */
    DB_CREATE = 2,      /* make it when missing: for confabctl init */
    DB_SHORT = 4,       /* plain CGI: when closing, leave the checkpoint to others while its log is short */
    DB_ALONE = 8,       /* nobody else may write while it is open: ERR_BUSY when somebody does */
};

/* Opens path. ERR_BUSY when it cannot be opened now, ERR_OLD_SCHEMA for another version (logged). */
enum err db_open(const char *path, unsigned mode, int write_wait_ms, struct db **db_r);

/* The same for a file with another schema than the chat's. */
enum err db_open_as(const struct db_schema *schema, const char *path, unsigned mode, int write_wait_ms,
                    struct db **db_r);
void db_close(struct db *db);

/* How changes are made safe: "wal", or the rollback journal that stands in for it where the file system has
 * no room for WAL ("truncate" on network file systems, "delete" where SQLite found out itself). */
const char *db_journal(const struct db *db);

/* Starts a write transaction: waits for the writer lock, at most write_wait_ms; ERR_BUSY after. */
enum err db_begin_write(struct db *db);

/* Starts a read transaction: every read until db_end sees one state. */
enum err db_begin_read(struct db *db);

/* Ends the transaction: commits when e is ERR_OK, rolls back otherwise. Returns e, or
 * what went wrong with the commit. Without a transaction it only returns e. */
enum err db_end(struct db *db, enum err e);

/* Has this handle a transaction open? */
bool db_in_transaction(const struct db *db);

/* A counter that moves when another connection commits (never for one's own commits, nor
 * inside a transaction): for the relay's tail. ERR_BUSY when it cannot be read. */
enum err db_version(struct db *db, int64_t *version_r);

/* Statements run since opening: for tests that bound their number. */
int64_t db_statements(const struct db *db);

/* ---- one statement ---- */

struct db_row;      /* a running statement */

/* Starts query q. Named parameters are bound by db_bind_* before the first db_step. NULL never
 * comes back: a failure shows in db_step and db_done. */
struct db_row *db_query(struct db *db, int q, struct arena *a);

void db_bind_int(struct db_row *r, const char *name, int64_t v);        /* name with its ':' */
void db_bind_real(struct db_row *r, const char *name, double v);
void db_bind_text(struct db_row *r, const char *name, const char *v);   /* NULL binds NULL */
void db_bind_text_n(struct db_row *r, const char *name, const char *p, size_t len);
void db_bind_blob(struct db_row *r, const char *name, const void *p, size_t len);
void db_bind_id(struct db_row *r, const char *name, const struct id *id); /* not given: NULL */

/* true: a row is there to read. false: no more, or a failure which db_done tells. */
bool db_step(struct db_row *r);

int64_t db_int(struct db_row *r, int column);                   /* NULL reads as 0 */
double db_real(struct db_row *r, int column);                    /* NULL reads as 0 */
bool db_is_null(struct db_row *r, int column);
const char *db_text(struct db_row *r, int column);              /* NULL reads as NULL */
const void *db_blob(struct db_row *r, int column, size_t *len_r);
struct id db_id(struct db_row *r, int column);                  /* NULL reads as not given */

/* Ends the statement. ERR_EXISTS for a unique constraint, ERR_NOT_FOUND for a foreign key, ERR_BUSY,
 * ERR_INTERNAL (logged). The handle r is invalid afterwards. */
enum err db_done(struct db_row *r);

/* db_step once and db_done, for statements that return nothing. *changed_r (NULL is fine):
 * rows changed. */
enum err db_run(struct db_row *r, int64_t *changed_r);

#endif
