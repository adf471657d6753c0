/* client - the demo's own client, in Node: polls, takes to a socket when a relay comes, polls again when it is gone
 *
 * client.mjs URL PREFIX RELAY-PID COMMAND...: the relay that runs, and how to start it anew. Run as root.
 *
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [url, prefix, pid, ...command] = process.argv.slice(2);
const { WebSocket: Ws } = createRequire(path.join(process.env.NODE_PATH, 'none.js'))('ws');
class WebSocket extends Ws {
    constructor(address) {
        super(address);
        this.on('error', () => {});         /* a browser's tells nothing but the close that follows */
    }
}
const source = (name) => import(pathToFileURL(path.join(process.env.CONFAB_SOURCE, 'www/js', name)));
const [{ Api }, { Live }] = await Promise.all([source('api.js'), source('live.js')]);

const owner = ['--reuid=me', '--regid=me', '--clear-groups', 'env', '-i', 'HOME=/home/me'];
const ctl = (...args) => execFileSync('setpriv', [...owner, `${prefix}/bin/confabctl`, ...args], { encoding: 'utf8' }).trim();
const api = (user) => new Api({ base: `${url}/api/v1/`, token: ctl('token', '--user', user), scope: {} });
const [alice, bob] = [api('alice'), api('bob')];
const [dialog] = await alice.dialogs('participating');

const states = [], heard = [];
let wake = () => {};
const until = async (what, probe) => {
    const end = Date.now() + 40000;
    while (!probe()) {
        assert.ok(Date.now() < end, `waited in vain for ${what}: ${states} ${JSON.stringify(heard)}`);
        await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 200); });
    }
};
const live = new Live({
    WebSocket, socketUrl: (since) => bob.socketUrl(since), sync: (since, etag) => bob.sync(since, etag),
    onFrames: (frames) => { heard.push(...frames); wake(); }, onReload: async () => {},
    onState: (state) => { states.push(state); wake(); }, onRefused: (error) => { throw error; },
});

async function hears(content) {
    await alice.send(dialog.id, { content, key: crypto.randomUUID() });
    await until(content, () => heard.some((one) => one.content === content));
}

process.kill(Number(pid));
await until('the end of the relay', () => {
    try {
        return !process.kill(Number(pid), 0);
    } catch {
        return true;
    }
});
live.start();
await until('polling', () => states.at(-1) === 'polling');
await hears('while it polls');
const relay = spawn(command[0], command.slice(1), { stdio: 'inherit' });
await until('a socket', () => states.at(-1) === 'live');
await hears('on a socket');
relay.kill();
await until('polling anew', () => states.at(-1) === 'polling');
await hears('polled again');
assert.equal(new Set(heard.map((one) => one.seq)).size, heard.length, 'nothing comes twice');
live.stop();
