/* eventchat - commands over sockets: from send_message until both parties have it, with a thousand chats
 *
 * Open loop: commands are due at a fixed rate, one chat after the other, and count from when they were due, however late
 * they could be sent. The relay runs on core 0, everything else on the last one. Beside it pings on the same
 * sockets at the same rate: what client and loop take without a database.
 *
 * SPDX-License-Identifier: MIT
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { pair } from '../tests/lib/eventchat-live.mjs';
import { Instance } from '../tests/lib/instance.mjs';
import { SECONDS, inTurn, run, table, verdict } from './lib/bench.mjs';
import { TEXT } from './lib/chat.mjs';

const WebSocket = createRequire(new URL('../tests/lib/', import.meta.url))('ws');

const CHATS = Number(process.env.BENCH_CHATS || 1000);
const RATES = (process.env.BENCH_RATES || '50,200').split(',').map(Number);
const OPENING = 25;             /* chats made, and sockets opened, at a time */
const AIM_MS = 20;

/* As shipped. */
const start = () => Instance.start({ systems: 'eventchat', handlers: 2 });
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;

/* CPU seconds of all threads. */
function cpuOf(pid) {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) =>
        sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9, 0);
}

/* ---- the two framings ---- */

const FRAMINGS = {
    'bare WebSocket': {
        path: (token) => `/eventchat/ws?token=${token}`,
        opened: () => {},
        first: (text) => text.startsWith('{"event":"initial_data"'),
        frame: (event, data) => JSON.stringify({ event, data }),
        update: (text) => text.startsWith('{"event":"chat_updates"') ? JSON.parse(text).data : null,
        pong: (text) => text.startsWith('{"event":"pong"'),
    },
    'Socket.IO': {
        path: () => '/socket.io/?EIO=4&transport=websocket',
        opened: (socket, token) => socket.send(`40/eventchat,${JSON.stringify({ token })}`),
        first: (text) => text.startsWith('42/eventchat,["initial_data"'),
        frame: (event, data) => `42/eventchat,${JSON.stringify([event, data])}`,
        update: (text) => text.startsWith('42/eventchat,["chat_updates"') ? JSON.parse(text.slice(13))[1] : null,
        /* has no ping of clients: any refusal is as good */
        pong: (text) => text.startsWith('42/eventchat,["debug_info"'),
    },
};

function open(confab, framing, user, heard) {
    return new Promise((resolve, reject) => {
        const token = confab.token(user);
        const socket = new WebSocket(`ws+unix:${confab.relays[0].socket}:${framing.path(token)}`, { perMessageDeflate: false });
        socket.on('open', () => framing.opened(socket, token));
        socket.on('error', reject);
        socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
        socket.on('message', (data) => {
            const at = performance.now(), text = data.toString();
            if (framing.first(text))
                resolve(socket);
            else if (text === '2')
                socket.send('3');
            else
                heard(text, at);
        });
    });
}

/* Some at a time. */
async function inSteps(n, make) {
    const made = [];
    for (let i = 0; i < n; i += OPENING)
        made.push(...await Promise.all(Array.from({ length: Math.min(OPENING, n - i) }, (_, k) => make(i + k))));
    return made;
}

/* ---- one side ---- */

class Side {
    waiting = new Map();        /* what is under way: its name, when it was due, how many have it */
    times = [];
    serial = 0;

    static async open(confab, framing, chats) {
        const side = new Side();
        side.framing = framing;
        side.chats = chats;
        side.sockets = await inSteps(chats.length, async (i) => {
            const { owner, applicant, chat } = chats[i];
            const heard = (text, at) => side.heard(chat, text, at);
            return { applicant: await open(confab, framing, applicant, heard), owner: await open(confab, framing, owner, heard) };
        });
        return side;
    }

    heard(chat, text, at) {
        const update = this.framing.update(text);
        if (update)
            this.got(update.messages[0].text.split(' ', 1)[0], at);
        else if (this.framing.pong(text))
            this.got(`ping ${chat}`, at);
    }

    got(name, at) {
        const one = this.waiting.get(name);
        if (!one || --one.missing > 0)
            return;
        this.waiting.delete(name);
        this.times.push(at - one.due);
    }

    say(due) {
        const i = this.serial++ % this.chats.length;
        const name = `${this.serial}`;
        this.waiting.set(name, { due, missing: 2 });
        this.sockets[i].applicant.send(this.framing.frame('send_message',
            { chatId: this.chats[i].chat, message: { text: `${name} ${TEXT}`.slice(0, TEXT.length) } }));
    }

    ping(due) {
        const i = this.serial++ % this.chats.length;
        this.waiting.set(`ping ${this.chats[i].chat}`, { due, missing: 1 });
        this.sockets[i].applicant.send(this.framing.frame('ping', {}));
    }

    /* rate a second for a while. */
    async load(pid, rate, what) {
        this.times = [];
        const before = cpuOf(pid), begun = performance.now(), n = Math.round(rate * SECONDS);
        for (let sent = 0; sent < n;) {
            const passed = performance.now() - begun;
            for (; sent < n && sent * 1000 / rate <= passed; sent++)
                this[what](begun + sent * 1000 / rate);
            await delay(1);
        }
        while (this.waiting.size > 0)
            await delay(1);
        this.times.sort((a, b) => a - b);
        return { p50: quantile(this.times, 0.5), p99: quantile(this.times, 0.99), most: this.times.at(-1),
                 cpu: (cpuOf(pid) - before) * 1e6 / n };
    }

    close() {
        for (const { applicant, owner } of this.sockets)
            for (const socket of [applicant, owner]) {
                socket.removeAllListeners('close');
                socket.terminate();
            }
    }
}

async function main() {
    const confab = await start();
    const { pid } = confab.relays[0];
    const chats = await inSteps(CHATS, () => pair(confab));
    const pin = (one, core) => run('taskset', ['-apc', String(core), String(one)]);
    await pin(pid, 0);
    for (const one of [...confab.handlers, confab.lighttpd, process])
        await pin(one.pid, os.cpus().length - 1);
    const aims = [];
    for (const [name, framing] of Object.entries(FRAMINGS)) {
        const side = await Side.open(confab, framing, chats);
        const sides = {};
        for (const rate of RATES) {
            sides[`send_message, ${rate} a second`] = () => side.load(pid, rate, 'say');
            sides[`ping, ${rate} a second`] = () => side.load(pid, rate, 'ping');
        }
        const results = await inTurn(sides);
        table(`${name}: ${CHATS} chats, ${2 * CHATS} sockets, each command to both parties`,
            ['', 'p50 ms', 'p99 ms', 'longest ms', "relay's CPU, µs each"],
            Object.entries(results).map(([what, r]) => [what, r.p50, r.p99, r.most, r.cpu]));
        for (const [what, r] of Object.entries(results).filter(([one]) => one.startsWith('send')))
            aims.push([`${name}, ${what}: p99 ms`, r.p99, AIM_MS, 'max']);
        side.close();
    }
    verdict(aims);
    await confab.stop();
}

main().then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
