/* config_row - one line of a table of settings: how its value is read, checked and printed
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/config_row.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
is_text(const struct config_row *row)
{
    return row->kind == KIND_TEXT || row->kind == KIND_SECRET || row->kind == KIND_PATH;
}

static void
set_number(const struct config_row *row, void *into, int64_t n)
{
    void *place = (char *)into + row->offset;

    if (row->kind == KIND_BOOL)
        *(bool *)place = n != 0;
    else if (row->kind == KIND_CHOICE)
        *(int *)place = (int)n;
    else
        *(int64_t *)place = n;
}

static void
set_text(const struct config_row *row, void *into, const char *text)
{
    *(const char **)(void *)((char *)into + row->offset) = text;
}

static bool
parse_bool(const char *value, int64_t *n_r)
{
    *n_r = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    return *n_r || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
}

static bool
parse_int(const char *value, int64_t *n_r)
{
    char *end;

    if (!isdigit((unsigned char)value[value[0] == '-']))
        return false;
    errno = 0;
    *n_r = strtoll(value, &end, 10);
    return *end == '\0' && errno == 0;
}

/* The number of a word in the list. */
static bool
parse_choice(const char *words, const char *value, int64_t *n_r)
{
    size_t len, value_len = strlen(value);

    for (*n_r = 0;; ++*n_r, words += len + 1) {
        len = strcspn(words, " ");
        if (len == value_len && memcmp(words, value, len) == 0)
            return true;
        if (words[len] == '\0')
            return false;
    }
}

static enum err
set_choice(const struct config_row *row, void *into, const char *value, const char *where,
           struct fail *fail)
{
    int64_t n;

    if (!parse_choice(row->words, value, &n))
        return err_fail(fail, ERR_FIELD, row->name, "%s: %s must be one of: %s", where, row->name,
                        row->words);
    set_number(row, into, n);
    return ERR_OK;
}

void
config_row_defaults(const struct config_row *rows, size_t n, void *into)
{
    const struct config_row *row;
    int64_t number;

    for (row = rows; row < rows + n; row++) {
        if (is_text(row))
            set_text(row, into, row->text);
        else if (row->kind == KIND_CHOICE)
            set_number(row, into, parse_choice(row->words, row->text, &number) ? number : 0);
        else if (row->kind != KIND_SECTION)
            set_number(row, into, row->number);
    }
}

enum err
config_row_set(struct arena *a, const struct config_row *row, void *into, const char *value,
               const char *where, struct fail *fail)
{
    int64_t n;

    if (row->kind == KIND_CHOICE)
        return set_choice(row, into, value, where, fail);
    if (is_text(row)) {
        n = (int64_t)strlen(value);
        if (n < row->min || n > row->max)
            return err_fail(fail, ERR_FIELD, row->name, "%s: %s must have %lld to %lld bytes",
                            where, row->name, (long long)row->min, (long long)row->max);
        set_text(row, into, arena_string(a, value));
        return ERR_OK;
    }
    if (row->kind == KIND_BOOL ? !parse_bool(value, &n) : !parse_int(value, &n))
        return err_fail(fail, ERR_FIELD, row->name, "%s: %s must be %s", where, row->name,
                        row->kind == KIND_BOOL ? "true or false" : "a whole number");
    if (n < row->min || n > row->max)
        return err_fail(fail, ERR_FIELD, row->name, "%s: %s must be %lld to %lld", where,
                        row->name, (long long)row->min, (long long)row->max);
    set_number(row, into, n);
    return ERR_OK;
}

static void
print_choice(const char *words, int n, struct sbuf *out)
{
    for (; n > 0; n--)
        words += strcspn(words, " ") + 1;
    sbuf_put(out, words, strcspn(words, " "));
}

void
config_row_print(const struct config_row *row, const void *from, struct sbuf *out, bool with_help)
{
    const void *place = (const char *)from + row->offset;
    const char *text;

    if (with_help)
        sbuf_printf(out, "# %s\n", row->help);
    sbuf_printf(out, "%s = ", row->name);
    if (row->kind == KIND_INT) {
        sbuf_printf(out, "%lld", (long long)*(const int64_t *)place);
    } else if (row->kind == KIND_BOOL) {
        sbuf_puts(out, *(const bool *)place ? "true" : "false");
    } else if (row->kind == KIND_CHOICE) {
        print_choice(row->words, *(const int *)place, out);
    } else {
        text = *(const char *const *)place;
        sbuf_puts(out, row->kind == KIND_SECRET && text[0] != '\0' ? "(hidden)" : text);
    }
    sbuf_putc(out, '\n');
}
