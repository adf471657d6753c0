/* relay - the push server beside a raw epoll loop and its peers
 *
 * The server that is measured runs on core 0, clients and publisher on the last one. All servers are up all the
 * time; those whose turn it is not have nothing to do. BENCH_PEERS names those that take part beside Confab
 * and raw (nchan,NATS,ws,socket.io).
 *
 * SPDX-License-Identifier: MIT
 */
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ROUNDS, buildPrograms, inTurn, memory, median, number, ratio, run, table } from './lib/bench.mjs';
import { Clients, histogram, quantile, startConfab, startPeers, stopPeers, withDir } from './lib/push.mjs';

const SECONDS = Number(process.env.BENCH_SECONDS || 1);
const OTHER_CORE = os.cpus().length - 1;
const MANY = 10000;
const IDLE = 15000;
const LOOP_LAG = 'confab_loop_turn_seconds';

const ONE_CHANNEL = { sockets: 1000 };
const MANY_CHANNELS = { sockets: 5000, channels: 5000, each: 10 };

const aims = [];                        /* what was aimed at: [text, value, limit, 'min' | 'max'] */

function aim(text, value, limit, kind) {
    aims.push([text, value, limit, kind]);
}

/* Opens the same clients at every peer, measures in turn, closes them. */
async function sideBySide(peers, shape, how) {
    const clients = {};
    for (const [name, peer] of Object.entries(peers))
        clients[name] = await Clients.open(peer, shape);
    const results = await inTurn(Object.fromEntries(Object.keys(peers).map((name) =>
        [name, () => clients[name].run(SECONDS, how(peers[name]))])));
    for (const one of Object.values(clients))
        await one.close();
    return results;
}

function fanOutTable(title, results) {
    table(title, ['', 'deliveries per second', 'CPU µs per delivery', 'p50 ms', 'p99 ms', '× raw, CPU', "CPU × Confab's"],
        Object.entries(results).map(([name, r]) => [name, r.rate, r.cpu, r.p50, r.p99,
            ratio(results, name, 'raw', 'cpu'), ratio(results, name, 'Confab', 'cpu')]));
}

/* ---- (a), (b): fan-out ---- */

const FAN_OUT_AIMS = { nchan: [10, 2], NATS: [5, 2.5], 'socket.io': [20, 2], ws: [20, 1.7] };

async function fanOut(peers) {
    const single = await sideBySide(peers, ONE_CHANNEL, () => ({ window: 1 }));
    fanOutTable('One channel, 1,000 subscribers, one publication at a time', single);
    const most = await sideBySide(peers, ONE_CHANNEL, () => ({}));
    fanOutTable('One channel, 1,000 subscribers, as many as go', most);
    const spread = await sideBySide(peers, MANY_CHANNELS, (peer) => ({ window: peer.window * 4 }));
    fanOutTable('5,000 sockets, each on 10 of 5,000 channels', spread);

    aim('one channel, one at a time: CPU per delivery × raw', ratio(single, 'Confab', 'raw', 'cpu'), 1.18, 'max');
    aim('one channel, as many as go: CPU per delivery × raw', ratio(most, 'Confab', 'raw', 'cpu'), 1.18, 'max');
    aim('one channel: million deliveries per second', most.Confab.rate / 1e6, 2, 'min');
    aim('5,000 × 10 of 5,000 channels: CPU per delivery × raw', ratio(spread, 'Confab', 'raw', 'cpu'), 1.18, 'max');
    for (const [name, [one, many]] of Object.entries(FAN_OUT_AIMS)) {
        if (!peers[name])
            continue;
        aim(`one channel: CPU of ${name} × Confab's`, ratio(most, name, 'Confab', 'cpu'), one, 'min');
        aim(`5,000 × 10 of 5,000: CPU of ${name} × Confab's`, ratio(spread, name, 'Confab', 'cpu'), many, 'min');
    }
    return most.Confab.rate;
}

/* ---- (f): latency at half of the maximum ---- */

async function halfLoad(peer, most) {
    const clients = await Clients.open(peer, ONE_CHANNEL);
    const seen = [];
    for (let i = 0; i < ROUNDS; i++)
        seen.push(await clients.run(SECONDS, { window: 100000, rate: most / ONE_CHANNEL.sockets / 2 }));
    await clients.close();
    const of = (key) => median(seen.map((one) => one[key]));
    table('Confab at half of what goes at most', ['', 'deliveries per second', 'busy', 'p50 ms', 'p99 ms'],
        [['one channel, 1,000 subscribers', of('rate'), of('busy'), of('p50'), of('p99')]]);
    aim('delivery p99 at half of the maximum, ms', of('p99'), 25, 'max');
}

/* ---- (c), (d): connecting 10,000, and what they hold ---- */

async function connectOnce(peer) {
    const before = memory(peer.pid).own;
    const shape = { sockets: MANY, channels: MANY, prefix: peer.kind === 'confab' ? 'present:' : '' };
    const turns = peer.kind === 'confab' ? await histogram(peer, LOOP_LAG) : null;
    const clients = await Clients.open(peer, shape);
    const lag = turns ? quantile(turns, await histogram(peer, LOOP_LAG), 0.99) : NaN;
    await pause(300);
    const held = memory(peer.pid).own;
    await clients.close();
    await pause(500);
    return { rate: MANY / clients.seconds, cpu: clients.cpu * 1e6 / MANY, kib: (held - before) / MANY, lag: lag * 1000 };
}

/* Memory that a server does not give back is there already when it is filled a second time: the first counts. */
async function connections(peers) {
    const first = {};
    const results = await inTurn(Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, async () => {
        const one = await connectOnce(peer);
        first[name] ??= one;
        return one;
    }])));
    table('10,000 connections, each on a channel of its own',
        ['', 'connects per second', 'CPU µs each', '× raw, rate', '× raw, CPU', 'KiB each, idle'],
        Object.entries(results).map(([name, r]) => [name, r.rate, r.cpu,
            ratio(results, name, 'raw', 'rate'), ratio(results, name, 'raw', 'cpu'), first[name].kib]));
    aim('KiB per idle connection, with session, channel and presence', first.Confab.kib, 3, 'max');
    aim('connects per second × raw', ratio(results, 'Confab', 'raw', 'rate'), 0.8, 'min');
    aim('loop lag p99 while 10,000 connect, ms (bound of the bucket)', results.Confab.lag, 20, 'max');
    for (const [name, memoryAim, rateAim] of [['nchan', 0.25, 0.7], ['NATS', 0.5, 3], ['socket.io', 0.5, 3], ['ws', 0.5, 3]]) {
        if (!peers[name])
            continue;
        aim(`memory per connection × ${name}'s`, first.Confab.kib / first[name].kib, memoryAim, 'max');
        aim(`connects per second × ${name}'s`, ratio(results, 'Confab', name, 'rate'), rateAim, 'min');
    }
}

/* ---- (e): doing nothing ---- */

async function idle(dir) {
    const rows = [];
    for (const [text, ping, seconds, limit] of [['between pings', 3600, 10, 0.01], ['a ping every 25 s', 25, 25, 0.05]]) {
        const peer = await startConfab(dir, `idle-${ping}`, `push_ping_s = ${ping}`);
        const clients = await Clients.open(peer, { sockets: IDLE, channels: IDLE });
        /* Pings begin between half and the whole of their pause. */
        await pause(ping === 25 ? 25000 : 2000);
        const { busy } = await cpuFor(peer.pid, seconds);
        rows.push([text, 100 * busy]);
        aim(`15,000 idle connections, ${text}: share of a core`, busy, limit, 'max');
        await clients.close();
        await peer.server.stop();
    }
    table('15,000 idle connections', ['', '% of a core'], rows);
}

async function cpuFor(pid, seconds) {
    const used = async () => Number(await run(process.execPath, ['-e', `
        const fs = require('fs');
        console.log(fs.readdirSync('/proc/${pid}/task').reduce((sum, t) =>
            sum + Number(fs.readFileSync('/proc/${pid}/task/' + t + '/schedstat', 'utf8').split(' ')[0]) / 1e9, 0));`]));
    const before = await used();
    await pause(seconds * 1000);
    return { busy: (await used() - before) / seconds };
}

/* ---- (g): what is idle costs the others nothing ---- */

async function idleBeside(dir, alone) {
    const shape = { sockets: 1000, channels: 1000, each: 10 };
    const crowded = await startConfab(dir, 'crowded');
    const others = await Clients.open(crowded, { sockets: 9000, channels: 90000, first: 2000 });
    const results = await sideBySide({ alone, crowded }, shape, () => ({ window: 256 }));
    await others.close();
    await crowded.server.stop();
    const { alone: without, crowded: beside } = results;
    table('1,000 sockets on 10 of 1,000 channels', ['', 'CPU µs per delivery'],
        [['alone', without.cpu], ['beside 9,000 idle sockets and channels', beside.cpu]]);
    aim('CPU per delivery beside 9 times as many that are idle × alone', ratio(results, 'crowded', 'alone', 'cpu'), 1.15, 'max');
}

/* ---- all ---- */

function verdicts() {
    table('Aims', ['', 'aim', 'measured', ''], aims.map(([text, value, limit, kind]) =>
        [text, `${kind === 'min' ? '≥' : '≤'} ${limit}`, value < 0.1 ? value.toFixed(3) : number(value),
            (kind === 'min' ? value >= limit : value <= limit) ? 'met' : 'missed']));
}

async function main() {
    await buildPrograms();
    await run('taskset', ['-pc', String(OTHER_CORE), String(process.pid)]);
    await withDir(async (dir) => {
        const wanted = (process.env.BENCH_PEERS ?? 'nchan,NATS,ws,socket.io').split(',');
        const peers = await startPeers(dir, ['Confab', 'raw', ...wanted]);
        await connections(peers);
        const most = await fanOut(peers);
        await halfLoad(peers.Confab, most);
        await idleBeside(dir, peers.Confab);
        await stopPeers(peers);
        await idle(dir);
        verdicts();
    });
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
