/* settings - what this demo page is told about the place it runs in
 *
 * SPDX-License-Identifier: MIT
 */

/* People offered at the door. They are ids of the chat, not accounts. */
export const demoUsers = [
    { id: 'alice', name: 'Alice' },
    { id: 'bob', name: 'Bob' },
    { id: 'carol', name: 'Carol' },
];

/* Sent as X-Scope-Config: which open chats this page's visitors may find and join. */
export const scope = { scope_level0: ['demo'], scope_level1: [], scope_level2: [] };

export const pageSize = 50;
