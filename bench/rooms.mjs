/* rooms - what logins cost the others, and how soon watchers of a graph see it move
 *
 * SPDX-License-Identifier: MIT
 */
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { Instance } from '../tests/lib/instance.mjs';
import { request } from '../tests/lib/http.mjs';
import { PASSWORD, register } from '../tests/lib/rooms.mjs';
import { SECONDS, cpu, inTurn, ratio, run, table } from './lib/bench.mjs';

const WebSocket = createRequire(new URL('../tests/lib/', import.meta.url))('ws');

const HANDLERS = 4;
const READERS = 8;
const LOGINS = 16;              /* callers that log in again and again */
const WATCHERS = 1000;
const CHANGES = 50;             /* of one edge, in one round */
const OPENING = 50;             /* sockets opened at a time */

/* As shipped but for limits. */
const SHIPPED = { CONFAB_ROOMS_PASSWORD_MEMORY_KIB: undefined, CONFAB_ROOMS_PASSWORD_PASSES: undefined,
                  CONFAB_ROOMS_LOGIN_PER_MINUTE: '1000000' };

const start = (env = {}, more = {}) => Instance.start({ systems: 'rooms', handlers: HANDLERS, env: { ...SHIPPED, ...env }, ...more });
const pids = (confab) => [...confab.handlers, ...confab.logins].map(({ pid }) => pid);
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;

/* ---- logins ---- */

/* Calls once() again and again from n callers, until the time is over. */
async function callers(n, until, once) {
    await Promise.all(Array.from({ length: n }, async () => {
        while (performance.now() < until)
            await once();
    }));
}

/* GETs of a feed by READERS, while that many others log in. */
async function load(confab, anna, room, logins, readers = READERS) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: readers });
    const times = [];
    let done = 0, later = 0;
    const before = cpu(pids(confab)), from = performance.now(), until = from + SECONDS * 1000;
    const read = async () => {
        const begun = performance.now();
        const status = await get(confab.port, `/api/rooms/${room.id}/feed`, anna.token, agent);
        if (status !== 200)
            throw new Error(`GET: ${status}`);
        times.push(performance.now() - begun);
    };
    const login = async () => {
        const { status } = await request(confab.port, 'POST', '/api/auth/login', { body: { email: anna.email, password: PASSWORD } });
        if (status === 200)
            done++;
        else if (status === 429)
            later++;
        else
            throw new Error(`login: ${status}`);
    };
    await Promise.all([callers(readers, until, read), callers(logins, until, login)]);
    const seconds = (performance.now() - from) / 1000;
    agent.destroy();
    times.sort((a, b) => a - b);
    return { reads: times.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99), logins: done / seconds,
             later: later / seconds, cpu: (cpu(pids(confab)) - before) * 1000 / done };
}

function get(port, path, token, agent) {
    return new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port, path, agent, headers: { Authorization: `Bearer ${token}` } }, (answer) => {
            answer.resume();
            answer.on('end', () => resolve(answer.statusCode));
        }).on('error', reject);
    });
}

async function logins() {
    const sides = {}, instances = [];
    for (const [hashing, own] of [[1, 0], [2, 0], [HANDLERS, 0], [HANDLERS, 1]]) {
        const confab = await start({ CONFAB_ROOMS_PASSWORD_PROCESSES: String(hashing) }, { handlers: HANDLERS - own, logins: own });
        const anna = await register(confab);
        const room = await anna.room('r', ['a']);
        for (let i = 0; i < 20; i++)
            await anna.say(room.id, `number ${i}`);
        instances.push(confab);
        if (instances.length === 1) {
            sides['one login after the other, no reads'] = () => load(confab, anna, room, 1, 0);
            sides['reads alone'] = () => load(confab, anna, room, 0);
        }
        sides[`reads beside logins, ${own ? '1 of 4 handlers for them alone' : `${hashing} of ${HANDLERS} handlers may hash`}`] = () => load(confab, anna, room, LOGINS);
    }
    const results = await inTurn(sides);
    const [one] = Object.values(results);
    table(`Logins: argon2id as shipped, ${HANDLERS} handlers, ${READERS} readers, ${LOGINS} callers logging in`,
        ['', 'logins per second', '429 per second', 'reads per second', 'read p50 ms', 'read p99 ms', 'p99 × alone'],
        Object.entries(results).map(([name, r]) => [name, r.logins, r.later,
            ...(r.reads ? [r.reads, r.p50, r.p99, ratio(results, name, 'reads alone', 'p99')] : ['', '', '', ''])]));
    console.log(`\nA login costs ${one.cpu.toFixed(1)} ms of CPU: ${(1000 / one.cpu).toFixed(0)} per second and core.`);
    await Promise.all(instances.map((confab) => confab.stop()));
}

/* ---- a graph that is watched ---- */

/* told(at) is called for every frame but the first. */
function watcher(confab, owner, room, told) {
    return new Promise((resolve, reject) => {
        const target = `/api/rooms/${room.id}/graph?token=${owner.token}`;
        const socket = new WebSocket(`ws+unix:${confab.relays[0].socket}:${target}`, { perMessageDeflate: false });
        let ready = false;
        socket.on('error', reject);
        socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
        socket.on('message', () => {
            const at = performance.now();
            if (ready)
                told(at);
            ready = true;
            resolve(socket);
        });
    });
}

async function watched(confab, owner, n) {
    const room = await owner.room('watched', ['a', 'b']);
    const ids = Object.values(room.agents).map(({ id }) => id);
    const heard = { times: [], all: () => {} };
    const told = (at) => {
        heard.times.push(at);
        if (heard.times.length === n)
            heard.all();
    };
    for (let open = 0; open < n; open += OPENING)
        await Promise.all(Array.from({ length: Math.min(OPENING, n - open) }, () => watcher(confab, owner, room, told)));
    return async () => {
        const { pid } = confab.relays[0];
        const answers = [], firsts = [], all = [];
        let relay = 0;
        for (let i = 0; i < CHANGES; i++) {
            heard.times = [];
            const everybody = new Promise((resolve) => { heard.all = resolve; });
            const before = cpuOf(pid), begun = performance.now();
            await owner.relate(room.id, ...ids, i / CHANGES);
            answers.push(performance.now() - begun);
            await everybody;
            relay += cpuOf(pid) - before;
            firsts.push(heard.times[0] - begun);
            all.push(...heard.times.map((at) => at - begun));
        }
        for (const list of [answers, firsts, all])
            list.sort((a, b) => a - b);
        return { answer: quantile(answers, 0.5), first: quantile(firsts, 0.5), p50: quantile(all, 0.5), p99: quantile(all, 0.99),
                 cpu: relay * 1e6 / all.length };
    };
}

/* CPU seconds of all threads. */
function cpuOf(pid) {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) =>
        sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9, 0);
}

async function graphs() {
    const confab = await start({ CONFAB_ROOMS_SOCKETS_MAX: String(WATCHERS), CONFAB_WS_PER_USER: String(3 * WATCHERS) });
    const pin = (pid, core) => run('taskset', ['-apc', String(core), String(pid)]);
    await pin(confab.relays[0].pid, 0);
    for (const { pid } of [...confab.handlers, confab.lighttpd, process])
        await pin(pid, os.cpus().length - 1);
    const owner = await register(confab);
    const sides = {};
    for (const n of [1, WATCHERS])
        sides[`${n.toLocaleString('en-US')} watching`] = await watched(confab, owner, n);
    const results = await inTurn(sides);
    table('PATCH of a relationship to the frame at the watchers',
        ['', 'PATCH p50 ms', 'first frame p50 ms', 'frame p50 ms', 'frame p99 ms', "relay's CPU, µs per frame"],
        Object.entries(results).map(([name, r]) => [name, r.answer, r.first, r.p50, r.p99, r.cpu]));
    await confab.stop();
}

async function main() {
    await logins();
    await graphs();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
