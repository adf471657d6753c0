/* page - the files of the operator's page, built in from www/admin
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_PAGE_H
#define RELAY_PUSH_PAGE_H

struct page_file {
    const char *name;           /* without folders */
    const char *text;
};

extern const struct page_file page_files[];     /* a NULL name ends them; made by schema/embed.awk */

#endif
