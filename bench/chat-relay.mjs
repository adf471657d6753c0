/* chat-relay - one message to a thousand and to ten thousand sockets, beside the least a relay can do
 *
 * The relay runs on core 0, everything else on the last one. Latency is from before the POST to the
 * frame's receipt, so Confab's holds web server, handler and durable commit, too.
 *
 * SPDX-License-Identifier: MIT
 */
import os from 'node:os';
import { freePort } from '../tests/lib/http.mjs';
import { buildPrograms, inTurn, program, run, table } from './lib/bench.mjs';
import { addDialog, startChat, startProgram, startRelay } from './lib/chat.mjs';

const RELAY_CORE = 0;
const OTHER_CORE = os.cpus().length - 1;
const SIZES = [1000, 10000];

async function clients(args) {
    const out = await run(program('ws_clients'), args.map(String));
    const [n, cpu, seconds, p50, p99, connecting] = out.match(/^RESULT (.*)$/m)[1].split(' ').map(Number);
    return { rate: n / seconds, perCpu: n / cpu, p50: p50 / 1000, p99: p99 / 1000, connecting };
}

/* The sides of one size: single messages, and sixteen under way at once. */
async function addSides(sides, chat, n) {
    const dialog = await addDialog(chat, n);
    const places = {
        Confab: { port: chat.relay.port, post: chat.port, pid: chat.relay.pid,
            target: `/api/v1/dialogs/${dialog}/messages?user_id=u0` },
        raw: { port: chat.raw.port, post: chat.raw.port, pid: chat.raw.pid, target: '/' },
    };
    for (const [name, { port, post, pid, target }] of Object.entries(places)) {
        const base = ['-c', port, '-p', post, '-t', target, '-n', n, '-r', pid];
        sides[`${name}, ${n}, 1`] = () => clients([...base, '-m', 100000 / n]);
        sides[`${name}, ${n}, 16`] = () => clients([...base, '-m', 1000000 / n, '-w', 16]);
    }
}

async function main() {
    await buildPrograms();
    await run('taskset', ['-pc', String(OTHER_CORE), String(process.pid)]);
    const chat = await startChat(2);
    chat.relay = await startRelay(chat, RELAY_CORE);
    const port = await freePort();
    chat.raw = Object.assign(await startProgram(chat, 'raw', 'taskset',
        ['-c', String(RELAY_CORE), program('raw_relay'), String(port)], port), { port });
    const sides = {};
    for (const n of SIZES)
        await addSides(sides, chat, n);
    const results = await inTurn(sides);
    table('A message to all sockets; kind, sockets, messages under way',
        ['', 'deliveries per second', 'per CPU second', 'p50 ms', 'p99 ms', '10³ sockets connect in s', '× raw, CPU'],
        Object.entries(results).map(([name, r]) => [name, r.rate, r.perCpu, r.p50, r.p99,
            r.connecting * 1000 / Number(name.split(', ')[1]),
            r.perCpu / results[name.replace('Confab', 'raw')].perCpu]));
    await Promise.all([chat.relay.stop(), chat.raw.stop()]);
    await chat.stop();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
