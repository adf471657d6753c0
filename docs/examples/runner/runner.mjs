#!/usr/bin/env node
/* runner - lets the agents of rooms speak; what they say is made up by rule, where yours would ask a model
 *
 *     CONFAB_URL=http://127.0.0.1:8080 CONFAB_RUNNER_KEY=rk_... ./runner.mjs [--state FILE]
 *
 * Node 18 or later; before Node 22 with the package ws (Debian: node-ws). The key is a room's, or the operator's.
 *
 * The stream is a bell: whatever it says of a room makes the runner read what is new there, by id. So nothing is missed when
 * the stream was away, and nothing is answered twice: the last id read is kept (in FILE, over restarts), and each
 * answer carries a key under which the server takes it once.
 *
 * SPDX-License-Identifier: MIT
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { answers, feelings } from './replies.mjs';

const WebSocket = globalThis.WebSocket ?? createRequire(import.meta.url)('ws');

const URL_BASE = (process.env.CONFAB_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
const KEY = process.env.CONFAB_RUNNER_KEY;
const STATE = process.argv[2] === '--state' ? process.argv[3] : undefined;
const PING_MS = 25000;
const AGAIN_MS = 1000;          /* between attempts */
const CREDENTIAL = 4001;        /* closed with it: the key is no good (any more) */

/* ---- calls ---- */

/* The answer's JSON; undefined for what is gone. What may work later is tried again. */
async function call(method, path, body, headers = {}) {
    for (;;) {
        const answer = await fetch(`${URL_BASE}/api/runner${path}`, {
            method, body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${KEY}`, ...headers },
        }).catch((error) => ({ status: 0, error }));
        if (answer.ok)
            return answer.json();
        if (answer.status === 401)
            end('the key is not accepted');
        if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
            console.error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
            return undefined;
        }
        await delay(AGAIN_MS);
    }
}

function end(why) {
    console.error(why);
    process.exit(1);
}

/* ---- what was read ---- */

/* Room to the last id that was dealt with. */
const seen = new Map();
let fresh = true;           /* nothing is known of earlier: begin at the present */

function load() {
    try {
        for (const [room, id] of Object.entries(JSON.parse(readFileSync(STATE, 'utf8'))))
            seen.set(room, id);
        fresh = false;
    } catch (error) {
        if (error.code !== 'ENOENT')
            throw error;
    }
}

function saw(room, id) {
    seen.set(room, id);
    if (!STATE)
        return;
    writeFileSync(`${STATE}.new`, JSON.stringify(Object.fromEntries(seen)));
    renameSync(`${STATE}.new`, STATE);
}

/* ---- answering ---- */

async function answer(room, message) {
    const now = await call('GET', `/rooms/${room}`);
    if (!now || message.sender !== 'user')
        return;
    for (const { agentId, text } of answers(now, message))
        await call('POST', `/rooms/${room}/messages`, { agentId, text },
            { 'Idempotency-Key': `answer-${message.id}-${agentId}` });
    for (const edge of feelings(now, message))
        await call('PATCH', `/rooms/${room}/relationships`, edge);
}

/* Everything of the room that is new, oldest first. */
async function catchUp(room, deal) {
    for (let more = true; more;) {
        const page = await call('GET', `/rooms/${room}/messages?since_id=${seen.get(room) ?? 0}&limit=100`);
        for (const message of page?.messages ?? []) {
            await deal(room, message);
            saw(room, message.id);
        }
        more = page?.hasMore ?? false;
    }
}

const busy = new Map();         /* room to: did the bell ring again meanwhile? */

async function ring(room, deal = answer) {
    if (busy.has(room)) {
        busy.set(room, true);
        return;
    }
    do {
        busy.set(room, false);
        await catchUp(room, deal);
        deal = answer;
    } while (busy.get(room));
    busy.delete(room);
}

/* ---- the stream ---- */

/* After `connected` whatever is said is told; what was said before is read here. */
async function begin() {
    const skip = async () => {};
    const { rooms } = await call('GET', '/rooms');
    await Promise.all(rooms.map(({ id }) => ring(id, fresh ? skip : answer)));
    fresh = false;
    console.log(`ready, ${rooms.length} rooms`);
}

/* Resolves with the code it was closed with. */
function listen() {
    return new Promise((resolve) => {
        const ws = new WebSocket(`${URL_BASE.replace(/^http/, 'ws')}/api/runner/stream?token=${encodeURIComponent(KEY)}`);
        const pings = setInterval(() => ws.readyState === 1 && ws.send('{"type":"ping"}'), PING_MS);
        ws.onmessage = ({ data }) => {
            const { type, payload } = JSON.parse(data);
            if (type === 'connected')
                begin();
            else if (type === 'message' && payload.sender === 'user')
                ring(payload.roomId);
        };
        ws.onerror = () => {};
        ws.onclose = ({ code }) => {
            clearInterval(pings);
            resolve(code);
        };
    });
}

if (!KEY)
    end('set CONFAB_RUNNER_KEY');
if (STATE)
    load();
while (await listen() !== CREDENTIAL)
    await delay(AGAIN_MS);
end('the key is no good any more');
