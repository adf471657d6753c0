/* test_router - patterns, methods, path parameters
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fcgi/router.h"

static const struct route routes[] = {
    { M_GET, "/health", A_ANYONE, .in_size = 1 },
    { M_GET, "/d/by/:type/*name/list", A_USER, .in_size = 2 },
    { M_GET, "/d/by/:type/*name", A_USER, .in_size = 3 },
    { M_GET, "/d/:id", A_USER, .in_size = 4 },
    { M_DELETE, "/d/:id", A_ADMIN, .in_size = 5 },
    { M_POST, "/d/:id/m", A_USER, .in_size = 6 },
    { M_GET, "/d/:id/m/:mid", A_USER, .in_size = 7 },
    { 0 },
};

static const struct edge edge = { .routes = routes };

/* Finds and gives the row's number (its in_size), or minus the error. */
static int
find(struct arena *a, const char *raw, enum method method, struct route_match *m)
{
    struct target t;
    enum err e;

    assert_int_equal(http_target(a, raw, &t), ERR_OK);
    e = router_find(a, &edge, &t, method, m);
    return e == ERR_OK ? (int)m->route->in_size : -(int)e;
}

static int
setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
test_match(void **state)
{
    static const struct {
        const char *raw;
        enum method method;
        int row;
    } cases[] = {
        { "/health", M_GET, 1 },
        { "/h%65alth?x=%zz", M_GET, 1 },
        { "/health/", M_GET, -ERR_NOT_FOUND },
        { "//health", M_GET, -ERR_NOT_FOUND },
        { "/", M_GET, -ERR_NOT_FOUND },
        { "/Health", M_GET, -ERR_NOT_FOUND },
        { "/health", M_POST, -ERR_METHOD },
        { "/health", M_OTHER, -ERR_METHOD },
        { "/d/x", M_GET, 4 },
        { "/d/", M_GET, -ERR_NOT_FOUND },
        { "/d//m", M_POST, -ERR_NOT_FOUND },
        { "/d/x", M_DELETE, 5 },
        { "/d/a%2Fb", M_GET, 4 },
        { "/d/%zz", M_GET, 4 },
        { "/d/x/m", M_POST, 6 },
        { "/d/x/m", M_GET, -ERR_METHOD },
        { "/d/x/m/y", M_GET, 7 },
        { "/d/x/n/y", M_GET, -ERR_NOT_FOUND },
        { "/d/by/t", M_GET, -ERR_NOT_FOUND },
        { "/d/by/t/o", M_GET, 3 },
        { "/d/by/t/o/p/q", M_GET, 3 },
        { "/d/by/t/o/list", M_GET, 2 },
        { "/d/by/t/o/p/list", M_GET, 2 },
        { "/d/by/t/list", M_GET, 3 },
        { "/d/by/t/list", M_PUT, -ERR_METHOD },
    };
    struct route_match m;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(find(*state, cases[i].raw, cases[i].method, &m), cases[i].row);
}

static void
test_params(void **state)
{
    struct route_match m;

    find(*state, "/d/by/ty%20pe/a%2Fb/c//d/list", M_GET, &m);
    assert_int_equal(m.n_params, 2);
    assert_int_equal(m.params_err, ERR_OK);
    assert_string_equal(m.params[0].name, "type");
    assert_string_equal(m.params[0].value, "ty pe");
    assert_string_equal(m.params[1].name, "name");
    assert_string_equal(m.params[1].value, "a/b/c//d");

    find(*state, "/d/x/m/%00", M_GET, &m);
    assert_int_equal(m.n_params, 2);
    assert_string_equal(m.params[0].value, "x");
    assert_int_equal(m.params_err, ERR_LIMIT);

    find(*state, "/d/by/t/a/%zz/b", M_GET, &m);
    assert_int_equal(m.params_err, ERR_MALFORMED);
}

static void
test_methods(void **state)
{
    struct route_match m;
    bool head;

    find(*state, "/d/x", M_PUT, &m);
    assert_string_equal(router_allow(*state, m.methods), "GET, HEAD, DELETE, OPTIONS");
    find(*state, "/d/x/m", M_GET, &m);
    assert_string_equal(router_allow(*state, m.methods), "POST, OPTIONS");

    assert_int_equal(router_method("HEAD", &head), M_GET);
    assert_true(head);
    assert_int_equal(router_method("GET", &head), M_GET);
    assert_false(head);
    assert_int_equal(router_method("get", &head), M_OTHER);
    assert_int_equal(router_method("", &head), M_OTHER);
}

static void
test_print(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    router_print(&edge, out);
    fclose(out);
    assert_non_null(strstr(text, "GET /health anyone\n"));
    assert_non_null(strstr(text, "DELETE /d/:id admin\n"));
    free(text);
}

/* A route may be of several methods, refuse HEAD, and end in a slash too many. */
static void
sets_of_methods(void **state)
{
    static const struct route set[] = {
        { M_GET | M_POST | M_NO_HEAD, "/g/join/:id", A_USER, .in_size = 1 },
        { M_GET | M_POST, "/g/get", A_USER, .in_size = 2 },
        { 0 },
    };
    static const struct edge slashes = { .routes = set, .slash_ends = true };
    static const struct edge plain = { .routes = set };
    struct arena *a = *state;
    struct route_match m;
    struct target t;

    assert_int_equal(http_target(a, "/g/join/7/", &t), ERR_OK);
    assert_int_equal(router_find(a, &plain, &t, M_GET, &m), ERR_NOT_FOUND);
    assert_int_equal(router_find(a, &slashes, &t, M_POST, &m), ERR_OK);
    assert_string_equal(m.params[0].value, "7");
    assert_int_equal(router_find(a, &slashes, &t, M_PUT, &m), ERR_METHOD);
    assert_string_equal(router_allow(a, m.methods), "GET, POST, OPTIONS");
    assert_int_equal(http_target(a, "/g/join//", &t), ERR_OK);
    assert_int_equal(router_find(a, &slashes, &t, M_GET, &m), ERR_NOT_FOUND);
    assert_int_equal(http_target(a, "/g/get", &t), ERR_OK);
    assert_int_equal(router_find(a, &slashes, &t, M_DELETE, &m), ERR_METHOD);
    assert_string_equal(router_allow(a, m.methods), "GET, HEAD, POST, OPTIONS");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_match, setup, teardown),
        cmocka_unit_test_setup_teardown(test_params, setup, teardown),
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(sets_of_methods, setup, teardown),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
