/* socketio - what conversations tell many clients over Socket.IO, beside the npm server
 *
 * One message of the chat that everybody is in, to 5,000 WebSockets and to 500 who poll. The server that is measured runs
 * on core 0, everything else on the last one.
 *
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { Instance, SECRET } from '../tests/lib/instance.mjs';
import { freePort } from '../tests/lib/http.mjs';
import { mint, now } from '../tests/lib/jwt.mjs';
import { HERE, buildPrograms, inTurn, number, program, ratio, run, table } from './lib/bench.mjs';
import { startProgram, startRelay } from './lib/chat.mjs';
import { SERVER_CORE, installPeers } from './lib/push.mjs';

const OTHER_CORE = os.cpus().length - 1;
const TARGET = '/v1/messages/send';
const SUBSCRIBERS_AT_ONCE = 32;

/* how many clients, how they come, and how many messages with so many under way */
const SHAPES = [
    { text: '5,000 WebSockets', n: 5000, flags: [], messages: { 1: 30, 16: 96 } },
    { text: '500 that poll', n: 500, flags: ['-P'], messages: { 1: 150, 16: 480 } },
];
const SAID_BY = 1;                      /* the user who sends, one of the clients, who are 1, 2... */

/* As shipped but for limits of one user. */
const LIMITS = { CONFAB_CONV_RATE: '1000000', CONFAB_CONV_BURST: '1000000' };

const token = (user) => mint({ sub: user, exp: now() + 86400 }, SECRET);

class Clients {
    static async open(server, { n, flags }, tokens) {
        const clients = new Clients();
        clients.child = spawn(program('sio_clients'), ['-c', server.port, '-p', server.posts, '-n', n, '-s', '/conversations', '-t', TARGET,
            '-u', tokens, '-a', `Authorization: Bearer ${token(SAID_BY)}\r\n`, '-r', server.pid, ...flags].map(String),
        { stdio: ['pipe', 'pipe', 'inherit'] });
        clients.ended = once(clients.child, 'exit');
        clients.lines = readline.createInterface({ input: clients.child.stdout })[Symbol.asyncIterator]();
        [clients.seconds, clients.cpu] = await clients.line('READY');
        return clients;
    }

    async line(word) {
        const { value, done } = await this.lines.next();
        if (done || !value.startsWith(word))
            throw new Error(`clients: ${value}`);
        return value.split(' ').slice(1).map(Number);
    }

    async run(messages, posters) {
        this.child.stdin.write(`run ${messages} ${posters}\n`);
        const [n, cpu, took, p50, p99] = await this.line('RESULT');
        return { rate: n / took, cpu: cpu * 1e6 / n, perCpu: n / cpu, p50: p50 / 1000, p99: p99 / 1000 };
    }

    async close() {
        this.child.stdin.end();
        await this.ended;
    }
}

/* Who reads the chat of everybody gets what is said there, as long as he is connected. */
async function subscribe(confab, tokens) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: SUBSCRIBERS_AT_ONCE });
    const left = [...tokens];
    const read = (one) => new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port: confab.port, path: '/v1/messages/get?chat=0', agent, headers: { Authorization: `Bearer ${one}` } }, (answer) => {
            answer.resume();
            answer.on('end', () => answer.statusCode === 200 ? resolve() : reject(new Error(`subscribing: ${answer.statusCode}`)));
        }).on('error', reject);
    });
    await Promise.all(Array.from({ length: SUBSCRIBERS_AT_ONCE }, async () => {
        for (let one = left.pop(); one; one = left.pop())
            await read(one);
    }));
    agent.destroy();
}

async function measure(confab, servers, shape) {
    const tokens = Array.from({ length: shape.n }, (_, i) => token(i + 1));
    const file = path.join(confab.dir, 'tokens');
    writeFileSync(file, `${tokens.join('\n')}\n`);
    const clients = {};
    for (const [name, server] of Object.entries(servers))
        clients[name] = await Clients.open(server, shape, file);
    await subscribe(confab, tokens);
    for (const [posters, messages] of Object.entries(shape.messages)) {
        const results = await inTurn(Object.fromEntries(Object.keys(servers).map((name) =>
            [name, () => clients[name].run(messages, Number(posters))])));
        report(`${shape.text}, ${posters} under way`, results);
    }
    table(`${shape.text}: joining`, ['', 'per second', 'CPU µs each'],
        Object.entries(clients).map(([name, one]) => [name, shape.n / one.seconds, one.cpu * 1e6 / shape.n]));
    for (const one of Object.values(clients))
        await one.close();
}

const aims = [];

function report(title, results) {
    table(title, ['', 'deliveries per second', 'CPU µs per delivery', 'p50 ms', 'p99 ms', "deliveries per CPU-second × socket.io's"],
        Object.entries(results).map(([name, r]) => [name, r.rate, r.cpu, r.p50, r.p99, ratio(results, name, 'socket.io', 'perCpu')]));
    aims.push([`${title}: deliveries per CPU-second × socket.io's`, ratio(results, 'Confab', 'socket.io', 'perCpu'), 5, 'min'],
        [`${title}: p99 × socket.io's`, ratio(results, 'Confab', 'socket.io', 'p99'), 1, 'max']);
}

async function main() {
    await buildPrograms();
    await installPeers();
    const confab = await Instance.start({ systems: 'conversations', relays: 0, env: LIMITS });
    for (const { pid } of [...confab.handlers, confab.lighttpd, process])
        await run('taskset', ['-apc', String(OTHER_CORE), String(pid)]);
    const relay = await startRelay(confab, SERVER_CORE);
    const port = await freePort();
    const peer = await startProgram(confab, 'socket.io', 'taskset', ['-c', String(SERVER_CORE), process.execPath,
        path.join(HERE, 'peers/push/socketio-events.mjs'), String(port)], port, { NODE_ENV: 'production' });
    const servers = { Confab: { pid: relay.pid, port: relay.port, posts: confab.port }, 'socket.io': { pid: peer.pid, port, posts: port } };
    for (const shape of SHAPES)
        await measure(confab, servers, shape);
    table('Aims', ['', 'aim', 'measured', ''], aims.map(([text, value, limit, kind]) =>
        [text, `${kind === 'min' ? '≥' : '≤'} ${limit}`, number(value), (kind === 'min' ? value >= limit : value <= limit) ? 'met' : 'missed']));
    peer.goodEnd = /./;
    await peer.stop();
    await relay.stop();
    await confab.stop();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
