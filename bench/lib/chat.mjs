/* chat - instances filled with what benches ask for
 *
 * SPDX-License-Identifier: MIT
 */
import path from 'node:path';
import { Instance } from '../../tests/lib/instance.mjs';
import { freePort, listening } from '../../tests/lib/http.mjs';
import { Process } from '../../tests/lib/process.mjs';
import { BUILD } from '../../tests/lib/instance.mjs';

export const TEXT = 'All work and no play... '.repeat(9).slice(0, 200);

/* An instance without a relay whose dialogs may have thousands of members; their users are u0, u1... */
export async function startChat(handlers, env = {}) {
    return Instance.start({ auth: 'trusted', handlers, relays: 0,
        env: { CONFAB_PARTICIPANTS_CREATE_MAX: '100000', ...env } });
}

export function addDialog(chat, members) {
    return chat.dialog(Array.from({ length: members }, (_, i) => `u${i}`));
}

/* A dialog of ten with 50 messages; the target of its page. */
export async function addPage(chat) {
    const dialog = await addDialog(chat, 10);
    for (let i = 0; i < 50; i++)
        await chat.api(`u${i % 10}`).send(dialog, TEXT);
    return `/api/v1/dialogs/${dialog}/messages?user_id=u0`;
}

/* A program beside an instance: ready when it listens where it was told to. */
export async function startProgram(chat, name, command, args, where, env = {}) {
    const one = new Process(name, command, args, { cwd: chat.dir, env: { ...chat.env, ...env },
        log: path.join(chat.dir, `${name}.log`), ready: () => listening(where) });
    return one.start();
}

/* A relay on a TCP port, kept on one core. */
export async function startRelay(chat, core, env = {}) {
    const port = await freePort();
    const relay = await startProgram(chat, 'relay', 'taskset',
        ['-c', String(core), path.join(BUILD, 'relay/confab-relay')], port,
        { CONFAB_RELAY_LISTEN: `127.0.0.1:${port}`, ...env });
    return Object.assign(relay, { port });
}
