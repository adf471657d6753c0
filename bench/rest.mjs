/* rest - sending and reading through lighttpd, beside a FastCGI hello, a Node server and bare commits
 *
 * SPDX-License-Identifier: MIT
 */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, request } from '../tests/lib/http.mjs';
import { lighttpdConfig } from '../tests/lib/lighttpd.mjs';
import { HERE, SECONDS, buildPrograms, inTurn, program, run, table, verdict, wrk } from './lib/bench.mjs';
import { addDialog, addPage, startChat, startProgram } from './lib/chat.mjs';

const PROCESSES = [1, 2, 4];
const SMALL = 10;
const LARGE = 10000;

const pidsOf = (processes) => processes.map(({ pid }) => pid);

/* The peer's database driver is compiled here where Node's headers are, else fetched ready-made. */
async function installPeer() {
    const peers = path.join(HERE, 'peers');
    if (existsSync(path.join(peers, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node')))
        return;
    await run('npm', ['install', '--prefix', peers, '--no-audit', '--no-fund', '--silent'],
        existsSync('/usr/include/node')
            ? { npm_config_nodedir: '/usr', npm_config_build_from_source: 'true' } : {});
}

/* An instance with its dialogs. */
async function filled(handlers) {
    const chat = await startChat(handlers);
    chat.page = await addPage(chat);
    chat.small = await addDialog(chat, SMALL);
    chat.large = await addDialog(chat, LARGE);
    chat.pids = pidsOf(chat.handlers);
    return chat;
}

/* Lighttpd with the shipped configuration before hellos that answer as many bytes as a page has. */
async function startHello(chat, n, bytes) {
    const handlers = Array.from({ length: n }, (_, i) => ({ socket: path.join(chat.dir, `hello${i}.sock`) }));
    const hellos = [];
    for (const [i, { socket }] of handlers.entries())
        hellos.push(await startProgram(chat, `hello${i}`, program('hello_fcgi'), [socket, String(bytes)],
            socket));
    const port = await freePort();
    const file = path.join(chat.dir, 'hello.conf');
    writeFileSync(file, lighttpdConfig({ dir: chat.dir, port, handlers, relays: [], env: chat.env }));
    await startProgram(chat, 'hello-lighttpd', 'lighttpd', ['-D', '-f', file], port);
    return { pids: pidsOf(hellos), port };
}

async function startNode(chat) {
    const port = await freePort();
    const node = await startProgram(chat, 'node', process.execPath,
        [path.join(HERE, 'peers/server.mjs'), path.join(chat.state, 'confab.db'), String(port)], port,
        { NODE_ENV: 'production' });
    return { pids: [node.pid], port };
}

async function bareCommits(chat) {
    const out = await run(program('bare_commit'),
        [path.join(chat.state, 'confab.db'), chat.small, String(SECONDS)]);
    const [commits, seconds, p50, p99] = out.trim().split(' ').map(Number);
    return { rate: commits / seconds, p50: p50 / 1000, p99: p99 / 1000, cpu: NaN };
}

const post = ({ pids, port }, dialog, members) => wrk(pids, port, 'post.lua', '/', [dialog, members]);
const get = ({ pids, port }, target) => wrk(pids, port, 'get.lua', target);

function show(title, results, bases) {
    table(title, ['', 'per second', 'p50 ms', 'p99 ms', 'its CPU, µs each',
            ...bases.map((base) => `rate × ${base}`)],
        Object.entries(results).map(([name, { rate, p50, p99, cpu }]) =>
            [name, rate, p50, p99, Number.isNaN(cpu) ? '' : cpu, ...bases.map((base) => rate / results[base].rate)]));
}

async function main() {
    await buildPrograms();
    await installPeer();
    const chats = {};
    for (const n of PROCESSES)
        chats[n] = await filled(n);
    const forNode = await filled(1);
    const forBare = await filled(1);
    const node = await startNode(forNode);
    const pageBytes = Buffer.byteLength((await request(chats[1].port, 'GET', chats[1].page)).text);

    const reading = {};
    for (const n of PROCESSES) {
        const hello = await startHello(chats[n], n, pageBytes);
        reading[`hello, ${n}`] = () => get(hello, '/api/hello');
        reading[`Confab, ${n}`] = () => get(chats[n], chats[n].page);
    }
    reading['Node, 1'] = () => get(node, forNode.page);
    const gets = await inTurn(reading);
    show(`GET a page of 50 messages (${pageBytes} bytes); kind, processes`, gets, ['hello, 1', 'Node, 1']);

    const writing = {};
    for (const n of PROCESSES) {
        writing[`Confab, ${n}, ${SMALL}`] = () => post(chats[n], chats[n].small, SMALL);
        writing[`Confab, ${n}, ${LARGE}`] = () => post(chats[n], chats[n].large, LARGE);
    }
    writing[`Node, 1, ${SMALL}`] = () => post(node, forNode.small, SMALL);
    writing[`Node, 1, ${LARGE}`] = () => post(node, forNode.large, LARGE);
    writing['bare commits'] = () => bareCommits(forBare);
    const posts = await inTurn(writing);
    show('POST a message of 200 bytes; kind, processes, members', posts, [`Node, 1, ${SMALL}`, 'bare commits']);

    const best = Object.keys(posts).filter((name) => name.startsWith('Confab') && name.endsWith(`, ${SMALL}`))
        .reduce((a, b) => posts[a].rate > posts[b].rate ? a : b);
    const one = posts[`Confab, 1, ${SMALL}`], four = posts[`Confab, 4, ${SMALL}`];
    verdict([
        ...PROCESSES.map((n) => [`GET beside hello, ${n} processes`,
            gets[`Confab, ${n}`].rate / gets[`hello, ${n}`].rate, 0.5, 'min']),
        [`POST beside Node (${best})`, posts[best].rate / posts[`Node, 1, ${SMALL}`].rate, 2, 'min'],
        [`POST beside bare commits (${best})`, posts[best].rate / posts['bare commits'].rate, 0.5, 'min'],
        ['p99 of POST by its median, 4 processes', four.p99 / four.p50, 10, 'max'],
        ['p99 of POST, 4 processes by 1', four.p99 / one.p99, 2, 'max'],
        ...PROCESSES.map((n) => [`small dialog by large, ${n} processes`,
            posts[`Confab, ${n}, ${SMALL}`].rate / posts[`Confab, ${n}, ${LARGE}`].rate, 1.2, 'max']),
    ]);
    await Promise.all([...Object.values(chats), forNode, forBare].map((chat) => chat.stop()));
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
