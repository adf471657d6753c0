/* push - the servers of the push bench, and clients that are told what to do
 *
 * A peer is { kind, pid, port, publish, window }: how push_clients speaks to it, the process that is
 * measured, where clients and publishers go, and how many publications may be on their way at once.
 *
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { BUILD } from '../../tests/lib/instance.mjs';
import { freePort, listening, request } from '../../tests/lib/http.mjs';
import { Process } from '../../tests/lib/process.mjs';
import { until } from '../../tests/lib/wait.mjs';
import { HERE, program, run } from './bench.mjs';

export const SERVER_CORE = 0;

const KEY = 'bench';

/* ---- servers ---- */

async function start(dir, name, port, command, args) {
    const one = new Process(name, 'taskset', ['-c', String(SERVER_CORE), command, ...args.map(String)],
        { cwd: dir, env: { ...process.env, NODE_ENV: 'production' }, log: path.join(dir, `${name}.log`),
            ready: () => listening(port), goodEnd: /./ });
    return one.start();
}

/* extra: further lines of the section "push server". */
export async function startConfab(dir, name = 'confab', extra = '') {
    const port = await freePort();
    const endpoint = `ipc://${dir}/${name}.pull`;
    const file = path.join(dir, `${name}.conf`);
    writeFileSync(file, `[push server]
push = true
systems =
state = ${dir}
relay_listen = 127.0.0.1:${port}
relay_connections_max = 100000
push_api_listen = clients
push_api_key = ${KEY}
push_anonymous = true
push_connects_per_s = 1000000
push_publish_pull = ${endpoint}
${extra}

[channels]
subscribe = anyone

[channels present]
subscribe = anyone
presence = true
`, { mode: 0o600 });
    const server = await start(dir, name, port, path.join(BUILD, 'relay/confab-relay'), ['--config', file]);
    return { kind: 'confab', server, pid: server.pid, port, publish: endpoint, window: 256 };
}

async function startRaw(dir) {
    const port = await freePort();
    const server = await start(dir, 'raw', port, program('raw_relay'), [port]);
    return { kind: 'raw', server, pid: server.pid, port, publish: port, window: 256 };
}

/* One worker, which does all the work; its pid. */
async function startNchan(dir) {
    const port = await freePort();
    const file = path.join(dir, 'nginx.conf');
    const module = '/usr/lib/nginx/modules/ngx_nchan_module.so';
    writeFileSync(file, `load_module ${module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx-error.log error;
events { worker_connections 19000; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path ${dir}/nginx-body;
    proxy_temp_path ${dir}/nginx-proxy;
    fastcgi_temp_path ${dir}/nginx-fastcgi;
    uwsgi_temp_path ${dir}/nginx-uwsgi;
    scgi_temp_path ${dir}/nginx-scgi;
    nchan_shared_memory_size 512M;
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location /sub {
            nchan_subscriber websocket;
            nchan_channel_id $arg_id;
            nchan_channel_id_split_delimiter ",";
            nchan_subscriber_first_message newest;
        }
        location /pub {
            nchan_publisher http;
            nchan_channel_id $arg_id;
            nchan_store_messages off;
        }
    }
}
`);
    const server = await start(dir, 'nchan', port, '/usr/sbin/nginx', ['-c', file, '-p', dir]);
    const workers = () => readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8');
    const pid = parseInt(await until('nginx to have a worker', workers), 10);
    return { kind: 'nchan', server, pid, port, publish: port, window: 32 };
}

async function startNats(dir) {
    const [port, publish] = [await freePort(), await freePort()];
    const file = path.join(dir, 'nats.conf');
    writeFileSync(file, `listen: "127.0.0.1:${publish}"
ping_interval: "10m"
write_deadline: "30s"
max_connections: 100000
websocket { listen: "127.0.0.1:${port}", no_tls: true }
`);
    const server = await start(dir, 'nats', port, '/usr/sbin/nats-server', ['-c', file]);
    return { kind: 'nats', server, pid: server.pid, port, publish, window: 256 };
}

async function startNode(dir, kind, script) {
    const [port, publish] = [await freePort(), await freePort()];
    const server = await start(dir, kind, port, process.execPath, [path.join(HERE, 'peers/push', script), port, publish]);
    return { kind, server, pid: server.pid, port, publish, window: 16 };
}

export async function installPeers() {
    const peers = path.join(HERE, 'peers/push');
    if (!existsSync(path.join(peers, 'node_modules/.package-lock.json')))
        await run('npm', ['ci', '--prefix', peers, '--no-audit', '--no-fund', '--silent']);
}

const STARTS = {
    Confab: (dir) => startConfab(dir),
    raw: startRaw,
    nchan: startNchan,
    NATS: startNats,
    ws: (dir) => startNode(dir, 'ws', 'ws.mjs'),
    'socket.io': (dir) => startNode(dir, 'socket.io', 'socketio.mjs'),
};

/* Those of them that are named: { name: peer }. */
export async function startPeers(dir, names) {
    await installPeers();
    const peers = {};
    for (const name of names.filter((one) => one))
        peers[name] = await STARTS[name](dir);
    return peers;
}

export async function stopPeers(peers) {
    for (const peer of Object.values(peers))
        await peer.server.stop();
}

/* A folder for a while. */
export async function withDir(what) {
    const dir = mkdtempSync(path.join(tmpdir(), 'confab-bench-'));
    try {
        return await what(dir);
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}

/* The buckets of one of Confab's histograms: [[bound in seconds, how many so far], ...]. */
export async function histogram(peer, name) {
    const answer = await request(peer.port, 'GET', '/metrics', { headers: { 'X-API-Key': KEY } });
    return [...answer.text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)`, 'gm'))]
        .map(([, bound, n]) => [bound === '+Inf' ? Infinity : Number(bound), Number(n)]);
}

/* The bound in seconds below which so many of what came between two looks at it lie. */
export function quantile(before, after, q) {
    const counts = after.map(([bound, n], i) => [bound, n - (before[i]?.[1] ?? 0)]);
    const all = counts.at(-1)[1];
    return counts.find(([, n]) => n >= q * all)[0];
}

/* ---- clients ---- */

/* Connected clients of one peer. options: sockets, channels, each (channels on each socket), first, prefix. */
export class Clients {
    static async open(peer, { sockets, channels = 1, each = 1, first = 0, prefix = '', opening = 256 }) {
        const clients = new Clients();
        const args = { k: peer.kind, c: peer.port, p: peer.publish, n: sockets, g: channels, e: each, f: first,
            x: prefix, o: opening, r: peer.pid };
        clients.child = spawn(program('push_clients'), Object.entries(args).map(([k, v]) => `-${k}${v}`),
            { stdio: ['pipe', 'pipe', 'inherit'] });
        clients.ended = once(clients.child, 'exit');
        clients.lines = readline.createInterface({ input: clients.child.stdout })[Symbol.asyncIterator]();
        clients.peer = peer;
        [clients.seconds, clients.cpu] = await clients.line('READY');
        return clients;
    }

    async line(word) {
        const { value, done } = await this.lines.next();
        if (done || !value.startsWith(word))
            throw new Error(`clients of ${this.peer.kind}: ${value}\n${this.peer.server.tail()}`);
        return value.split(' ').slice(1).map(Number);
    }

    /* Publishes for a while: window on their way at once, or so many a second. */
    async run(seconds, { window = this.peer.window, rate = 0 } = {}) {
        this.child.stdin.write(`run ${window} ${rate} ${seconds}\n`);
        const [n, cpu, took, p50, p99] = await this.line('RESULT');
        return { rate: n / took, cpu: cpu * 1e6 / n, p50: p50 / 1000, p99: p99 / 1000, busy: cpu / took };
    }

    async close() {
        this.child.stdin.end();
        await this.ended;
    }
}
