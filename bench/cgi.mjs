/* cgi - plain CGI: from fork to the answer's first byte
 *
 * Without anybody else on the database, so that every request opens and closes it, and with a handler
 * beside that keeps it open. /bin/true shows what starting any program costs here.
 *
 * SPDX-License-Identifier: MIT
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { BUILD } from '../tests/lib/instance.mjs';
import { buildPrograms, inTurn, program, run, table, verdict } from './lib/bench.mjs';
import { TEXT, addDialog, addPage, startChat } from './lib/chat.mjs';

const COUNT = process.env.BENCH_COUNT || '200';

async function timed(env, expect, body, command) {
    const out = await run(program('cgi_time'), [COUNT, body, command], { ...env, EXPECT: expect });
    const [p50, p99, all, cpu] = out.trim().split(' ').map((us) => Number(us) / 1000);
    return { p50, p99, all, cpu };
}

/* What a web server puts into the environment of a CGI program. */
function request(chat, method, target, body = '') {
    const env = { ...chat.env, GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REMOTE_ADDR: '127.0.0.1',
        REQUEST_METHOD: method, REQUEST_URI: target, CONTENT_LENGTH: String(body.length),
        CONTENT_TYPE: 'application/json', CONFAB_LOG_LEVEL: 'error' };
    return () => timed(env, 'Status: 200', body, path.join(BUILD, 'fcgi/confab.fcgi'));
}

async function main() {
    await buildPrograms();
    const sides = { '/bin/true': () => timed({}, '', '', '/bin/true') };
    const chats = { alone: await startChat(1), 'database held open': await startChat(1) };
    for (const [where, chat] of Object.entries(chats)) {
        const page = await addPage(chat);
        const dialog = await addDialog(chat, 10);
        mkdirSync(path.join(chat.state, 'run'), { recursive: true });
        sides[`GET a page, ${where}`] = request(chat, 'GET', page);
        sides[`POST a message, ${where}`] = request(chat, 'POST',
            `/api/v1/dialogs/${dialog}/messages?user_id=u0`, JSON.stringify({ content: TEXT }));
    }
    await chats.alone.handlers[0].stop();
    const results = await inTurn(sides);
    table('Plain CGI', ['', 'first byte p50 ms', 'first byte p99 ms', 'end p50 ms', 'CPU ms'],
        Object.entries(results).map(([name, r]) => [name, r.p50, r.p99, r.all, r.cpu]));
    verdict([
        ['GET, first byte, p50 ms', results['GET a page, alone'].p50, 10, 'max'],
        ['POST, first byte, p50 ms', results['POST a message, alone'].p50, 15, 'max'],
    ]);
    await Promise.all(Object.values(chats).map((chat) => chat.stop()));
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
