/* test_journal - databases where WAL cannot be had: SQLite without shared memory, network file systems
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "shared/db/driver.h"
#include "shared/db/network_fs.h"
#include "tests/unit/scratch.h"

#define NFS 0x6969

static long fs_type;            /* what statfs tells; 0: the truth */

int __real_statfs(const char *path, struct statfs *st);
int __wrap_statfs(const char *path, struct statfs *st);

int
__wrap_statfs(const char *path, struct statfs *st)
{
    int status = __real_statfs(path, st);

    if (status == 0 && fs_type != 0)
        st->f_type = (__typeof__(st->f_type))fs_type;
    return status;
}

static void
use_vfs(const char *name)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(name);

    assert_non_null(vfs);
    assert_int_equal(sqlite3_vfs_register(vfs, 1), SQLITE_OK);
}

/* What handlers and a relay ask of a database: one writes, the other sees that something was committed, and reads. */
static void
check_two(struct db *writer, const char *path)
{
    struct db *reader;
    int64_t before, after, count = -1;

    assert_int_equal(db_open(path, DB_OPEN, 1000, &reader), ERR_OK);
    assert_string_equal(db_journal(reader), db_journal(writer));
    assert_int_equal(db_version(reader, &before), ERR_OK);
    assert_int_equal(db_begin_write(writer), ERR_OK);
    assert_int_equal(db_exec(writer, "INSERT INTO presence (system, user) VALUES ('mtchat', 'a')"), ERR_OK);
    assert_int_equal(db_end(writer, ERR_OK), ERR_OK);
    assert_int_equal(db_version(reader, &after), ERR_OK);
    assert_true(before != after);
    assert_int_equal(db_begin_read(reader), ERR_OK);
    assert_int_equal(db_pragma_int(reader, "SELECT count(*) FROM presence", &count), ERR_OK);
    assert_int_equal(db_end(reader, ERR_OK), ERR_OK);
    assert_int_equal(count, 1);
    db_close(reader);
}

static void
check(const char *journal, bool has_wal)
{
    char dir[SCRATCH_DIR], path[SCRATCH_PATH], wal[SCRATCH_PATH + 8];
    struct db *db = scratch_new(dir, path);

    assert_string_equal(db_journal(db), journal);
    check_two(db, path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(access(wal, F_OK) == 0, has_wal);
    db_close(db);
    scratch_remove(dir);
}

static void
wal_where_it_can_be_had(void **state)
{
    (void)state;
    check("wal", true);
}

static void
a_rollback_journal_without_shared_memory(void **state)
{
    (void)state;
    use_vfs("unix-dotfile");
    check("delete", false);
    use_vfs("unix");
}

static void
a_rollback_journal_on_network_file_systems(void **state)
{
    (void)state;
    fs_type = NFS;
    check("truncate", false);
    fs_type = 0;
}

static void
a_database_that_comes_from_elsewhere_is_changed(void **state)
{
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct db *db = scratch_new(dir, path);

    (void)state;
    db_close(db);
    fs_type = NFS;
    assert_int_equal(db_open(path, DB_OPEN, 1000, &db), ERR_OK);
    assert_string_equal(db_journal(db), "truncate");
    check_two(db, path);
    db_close(db);
    fs_type = 0;
    scratch_remove(dir);
}

static void
kinds_of_file_systems(void **state)
{
    static const struct { long type; bool network; } kinds[] = {
        { NFS, true }, { (long)0xff534d42, true }, { (long)(int)0xfe534d42, true }, { 0x65735546, true },
        { 0xef53, false }, { 0x01021994, false }, { 0x794c7630, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fs_type = kinds[i].type;
        assert_int_equal(network_fs("/tmp"), kinds[i].network);
        assert_int_equal(network_fs("/tmp/which is not there"), kinds[i].network);
        assert_int_equal(network_fs("nor this"), kinds[i].network);
        assert_false(network_fs("/nor/this"));
    }
    fs_type = 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wal_where_it_can_be_had),
        cmocka_unit_test(a_rollback_journal_without_shared_memory),
        cmocka_unit_test(a_rollback_journal_on_network_file_systems),
        cmocka_unit_test(a_database_that_comes_from_elsewhere_is_changed),
        cmocka_unit_test(kinds_of_file_systems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
