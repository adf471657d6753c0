/* memory - what an idle handler and an idle relay hold, and what a connection adds
 *
 * Private memory is a process's own; the rest of what is resident are libraries that all share.
 *
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildPrograms, memory, program, table, verdict } from './lib/bench.mjs';
import { TEXT, addDialog, addPage, startChat, startRelay } from './lib/chat.mjs';

const SIZES = [1000, 10000];

/* Opens idle sockets; answers with a function that closes them. */
async function openSockets(port, n) {
    const child = spawn(program('ws_clients'), ['-c', String(port), '-n', String(n), '-k'],
        { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const [first] = await Promise.race([once(child.stdout, 'data'), ended]);
    if (!String(first).startsWith('READY'))
        throw new Error(`sockets did not open: ${first}`);
    return async () => {
        child.stdin.end();
        await ended;
    };
}

async function main() {
    await buildPrograms();
    const chat = await startChat(1);
    const relay = await startRelay(chat, 0);
    const page = await addPage(chat);
    const dialog = await addDialog(chat, 10);
    for (let i = 0; i < 100; i++) {
        await chat.api('u0').send(dialog, TEXT);
        await chat.api('u0').get(page.replace('/api/v1', '').replace('?user_id=u0', ''));
    }
    const handler = memory(chat.handlers[0].pid);
    const idle = memory(relay.pid);
    const rows = [['handler after 200 requests', handler.own / 1024, handler.resident / 1024, ''],
        ['relay without sockets', idle.own / 1024, idle.resident / 1024, '']];
    for (const n of SIZES) {
        const close = await openSockets(relay.port, n);
        const held = memory(relay.pid);
        rows.push([`relay with ${n} sockets`, held.own / 1024, held.resident / 1024,
            (held.own - idle.own) / n]);
        await close();
    }
    table('Memory', ['', 'private MiB', 'resident MiB', 'KiB per connection'], rows);
    verdict([
        ['handler, private MiB', handler.own / 1024, 3, 'max'],
        ['handler, resident MiB', handler.resident / 1024, 12, 'max'],
        ['relay, private MiB', idle.own / 1024, 4, 'max'],
        ['relay, resident MiB', idle.resident / 1024, 14, 'max'],
    ]);
    await relay.stop();
    await chat.stop();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
