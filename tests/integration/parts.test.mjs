/* A relay of parts: flags, chat and push in one process or one of them, new settings, the end.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { assert } from '../lib/assert.mjs';
import { freePort, listening, request } from '../lib/http.mjs';
import { BUILD, test, withInstance } from '../lib/instance.mjs';
import { Process } from '../lib/process.mjs';
import { until, within } from '../lib/wait.mjs';

const RELAY = path.join(BUILD, 'relay/confab-relay');
const dir = mkdtempSync(path.join(tmpdir(), 'confab-parts-'));
const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_')));
after(() => rmSync(dir, { recursive: true, force: true }));

/* Runs the relay until it ends: { code, out, err }. */
function relay(...args) {
    return new Promise((resolve) => {
        execFile(RELAY, args, { env: bare, timeout: 20000 }, (error, out, err) =>
            resolve({ code: error ? error.code : 0, out, err }));
    });
}

let serial = 0;
function file(text) {
    const name = path.join(dir, `${++serial}.conf`);
    writeFileSync(name, text);
    return name;
}

/* A relay with push and nothing else; its state directory is one that nobody may make. */
async function pushOnly(more = '') {
    const port = await freePort();
    const config = path.join(dir, `push${++serial}.conf`);
    const text = (extra) => `systems =\npush = 1\nstate = ${dir}/none\npush_api_key = key\npush_anonymous = 1\n`
        + `relay_listen = 127.0.0.1:${port}\npush_api_listen = clients\n${more}\n${extra}\n`;
    writeFileSync(config, text(''));
    const one = new Process('relay', RELAY, ['--config', config],
        { env: bare, cwd: dir, log: path.join(dir, `push${serial}.log`), ready: () => listening(port) });
    await one.start();
    after(() => one.stop());
    return Object.assign(one, { port, rewrite: (extra) => writeFileSync(config, text(extra)) });
}

/* A WebSocket that says nothing more, not even goodbye. */
async function mute(port) {
    const socket = net.connect(port, '127.0.0.1');
    after(() => socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /connection/websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
    const head = await within('an upgrade', new Promise((resolve) => socket.once('data', resolve)));
    assert.match(String(head), /^HTTP\/1.1 101 /);
    return socket;
}

test('flags', async () => {
    const version = await relay('--version');
    assert.match(version.out, /^confab-relay \d/);
    assert.equal((await relay('--help')).code, 0);
    assert.equal((await relay('--nonsense')).code, 2);
    assert.equal((await relay('argument')).code, 2);
});

test('--check tells what is wrong and where', async () => {
    const check = (text) => relay('--check', '--config', file(text));
    const bad = async (text, words) => {
        const answer = await check(text);
        assert.equal(answer.code, 1, text);
        assert.match(answer.err, words);
    };
    assert.equal((await check('auth = trusted\n')).code, 0);
    assert.equal((await check('systems =\npush = 1\n')).code, 0);
    await bad('auth = trusted\n\nws_ping_s = x\n', /\.conf:3: ws_ping_s/);
    await bad('auth = trusted\nthat = 1\n', /\.conf:2: unknown setting that/);
    await bad('systems =\n', /nothing to serve/);
    await bad('auth = trusted\npush = 1\npush_api_listen = clients\n', /push_api_listen/);
    await bad('systems =\npush = 1\nrelay_tls_key = /key\n', /relay_tls_certificate/);
    assert.equal((await relay('--check', '--config', '/does/not/exist')).code, 1);
});

test('push alone needs no chat, no database and no directory', async () => {
    const one = await pushOnly();
    assert.equal((await request(one.port, 'GET', '/health')).text, '{}');
    assert.equal((await request(one.port, 'GET', '/nowhere')).status, 404);
    const answer = await request(one.port, 'POST', '/api/info', { headers: { 'X-API-Key': 'key' }, body: {} });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.result.nodes.length, 1);
    assert.ok(!existsSync(path.join(dir, 'none')));
    assert.deepEqual(readdirSync(dir).filter((name) => !/\.(conf|log)$/.test(name)), []);
    await one.stop();
    assert.equal(one.status, 'exit 0');
});

test('chat and push in one process', async () => {
    const env = { CONFAB_PUSH: '1', CONFAB_PUSH_API_KEY: 'key', CONFAB_PUSH_API_LISTEN: `unix:${dir}/api.sock` };
    await withInstance({ env }, async (confab) => {
        const dialog = await confab.dialog(['ann']);
        const ann = await confab.socket('ann', { relay: 0 });
        await confab.api('ann').send(dialog, 'hello');
        await ann.next('message.new');
        const ask = (socketPath, target) => within(target, new Promise((resolve, reject) => {
            const socket = net.connect(socketPath, () =>
                socket.end(`GET ${target} HTTP/1.0\r\nHost: h\r\n\r\n`));
            let text = '';
            socket.on('data', (chunk) => { text += chunk; });
            socket.on('error', reject);
            socket.on('close', () => resolve(text));
        }));
        const clients = confab.relays[0].socket;
        assert.match(await ask(clients, '/health'), / 200 [^]*\{\}$/);
        assert.match(await ask(clients, '/connection/sse'), / 400 /);
        assert.match(await ask(clients, '/nowhere'), / 404 [^]*NOT_FOUND/);
        assert.match(await ask(clients, '/api/v1/%77s'), / 426 /);
        assert.match(await ask(clients, '/api/info'), / 404 /);
        assert.match(await ask(`${dir}/api.sock`, '/metrics'), / 401 /);
        await confab.relays[0].stop();
        assert.equal((await ann.ended()).code, 1001);
    });
});

test('SIGHUP takes what is good, keeps the old when it is not, and drops nobody', async () => {
    const one = await pushOnly();
    const socket = await mute(one.port);
    let gone = false;
    socket.on('close', () => { gone = true; });
    const says = (words) => until(String(words), () => words.test(one.text()));
    one.rewrite('push_ping_s = nonsense');
    one.signal('SIGHUP');
    await says(/settings_kept .*push_ping_s/);
    one.rewrite('push_message_max = 2000\nrelay_name = other\nlog_level = debug');
    one.signal('SIGHUP');
    await says(/settings_reloaded/);
    assert.match(one.text(), /reload_ignored .*relay_name/);
    assert.equal(one.text().match(/reload_ignored/g).length, 1);
    const body = `{"session":"s","node":"n","data":"${'x'.repeat(2000)}"}`;
    assert.equal((await request(one.port, 'POST', '/emulation', { body })).status, 413);
    assert.ok(!gone);
});

test('a second SIGTERM ends it at once', async () => {
    const one = await pushOnly('push_drain_s = 3600\nrelay_handshake_s = 300\n');
    await mute(one.port);
    one.mayDie();
    one.signal('SIGTERM');
    await until('the drain', () => / stopping /.test(one.text()));
    assert.ok(!(await listening(one.port)));
    assert.ok(one.running);
    one.signal('SIGTERM');
    assert.equal(await one.died(), 'exit 0');
    assert.match(one.text(), /stopping_at_once/);
});
