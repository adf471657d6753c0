/* docs/push/quickstart.md, followed to the letter: its files are written, its commands typed, its button pressed.
 * Ports are others, npm hands out the client library of these tests, and the page lives in a sandbox of Node
 * that has of a browser what the page asks for. Everything else is as the reader finds it.
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import vm from 'node:vm';
import WebSocket from 'ws';
import { assert } from '../lib/assert.mjs';
import { freePort, listening, request } from '../lib/http.mjs';
import { BUILD, SOURCE, hasFailed, test } from '../lib/instance.mjs';
import { Process } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const run = promisify(execFile);
const dir = mkdtempSync(path.join(tmpdir(), 'confab-quickstart-'));
const work = path.join(dir, 'empty');
const bin = path.join(dir, 'bin');
const ports = {};                       /* of the text: ours */
const background = [];
const pages = [];

/* The fenced blocks that say what they are: { file } or { run } or { background }, and the text. */
function blocks(text) {
    const found = [...text.matchAll(/^```\w+ (?:file=(?<file>\S+)|(?<how>run|background))\n(?<text>[^]*?)^```$/gm)];
    return found.map(({ groups }) => ({ ...groups, text: groups.text.replace(/\b808[0-3]\b/g, (port) => ports[port]) }));
}

/* What the reader has installed, and nothing of ours in the environment. */
function install() {
    mkdirSync(work);
    mkdirSync(bin);
    symlinkSync(path.join(BUILD, 'relay/confab-relay'), path.join(bin, 'confab-relay'));
    symlinkSync(path.join(BUILD, 'ctl/confabctl'), path.join(bin, 'confabctl'));
    writeFileSync(path.join(bin, 'npm'), `#!/bin/sh\n[ "$*" = "install centrifuge@5" ] && ln -s '${SOURCE}/tests/node_modules' .\n`,
                  { mode: 0o755 });
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    return { ...Object.fromEntries(clean), PATH: `${bin}:${process.env.PATH}` };
}

/* A window with the page open: its scripts, and those of its elements that have a name. */
class Page {
    constructor(origin) {
        const html = readFileSync(path.join(work, 'www/index.html'), 'utf8');
        this.elements = Object.fromEntries([...html.matchAll(/ id="(\w+)">([^<]*)/g)].map(([, id, text]) => [id, { textContent: text }]));
        class Socket extends WebSocket {
            constructor(url) {
                super(url, { origin, perMessageDeflate: false });
            }
        }
        const context = vm.createContext({
            console, setTimeout, clearTimeout, setInterval, clearInterval, TextEncoder, TextDecoder, WebSocket: Socket,
            document: { getElementById: (id) => this.elements[id] },
            fetch: (where, { method }) => {
                this.answer = request(ports[8080], method, new URL(where, `${origin}/`).pathname);
            },
        });
        for (const [, source, text] of html.matchAll(/<script(?: src="([^"]+)")?>([^]*?)<\/script>/g))
            vm.runInContext(source ? readFileSync(path.join(work, 'www', source), 'utf8') : text, context);
        this.close = () => vm.runInContext('client.disconnect()', context);
        pages.push(this);
    }

    get count() {
        return this.elements.count.textContent;
    }

    async press() {
        this.elements.more.onclick();
        const { status, json } = await this.answer;
        assert.equal(status, 200);
        return json;
    }
}

const everybodySees = (count) => until(`${count} on ${pages.length} pages`, () => pages.every((page) => Number(page.count) === count))
    .catch((error) => { throw new Error(`${error.message}: ${pages.map((page) => page.count)}`); });

/* Does what a block asks for; what it printed. */
async function follow(block, env) {
    if (block.file) {
        writeFileSync(path.join(work, block.file), block.text);
    } else if (block.how === 'background') {
        const program = block.text.split(' ')[0];
        const process = new Process(program, 'sh', ['-c', `exec ${block.text}`], {
            env, cwd: work, log: path.join(dir, `${program}.log`), goodEnd: /./,
            ready: () => listening(program === 'php' ? ports[8080] : ports[8082]),
        });
        background.push(process);
        await process.start();
    } else {
        return (await run('bash', ['-ec', block.text], { cwd: work, env })).stdout;
    }
    return '';
}

after(async () => {
    for (const page of pages)
        page.close();
    for (const process of background.reverse()) {
        await process.stop();
        if (hasFailed())
            console.error(process.tail());
    }
    rmSync(dir, { recursive: true, force: true });
});

test('from an empty directory to a number that moves on every page', async () => {
    for (const port of [8080, 8081, 8082, 8083])
        ports[port] = await freePort();
    const env = install();
    const steps = blocks(readFileSync(path.join(SOURCE, 'docs/push/quickstart.md'), 'utf8'));
    const origin = `http://127.0.0.1:${ports[8080]}`;
    const last = steps.findLastIndex((block) => block.how === 'background');
    assert.deepEqual(steps.filter((block) => block.file).map((block) => block.file),
                     ['push.conf', 'www/index.html', 'www/increment.php']);
    for (const block of steps.slice(0, last + 1))
        await follow(block, env);
    const [press, zmq, ...more] = steps.slice(last + 1);
    assert.deepEqual(more, []);

    assert.match((await request(ports[8080], 'GET', '/')).text, /id="count"/);
    assert.equal((await request(ports[8080], 'GET', '/centrifuge.js')).status, 200);
    const [first] = [new Page(origin), new Page(origin)];
    assert.equal(first.count, 'nothing yet');
    assert.deepEqual(Object.keys(JSON.parse(await follow(press, env)).result), ['offset', 'epoch']);
    await everybodySees(1);
    assert.equal((await first.press()).result.offset, 2);
    await everybodySees(2);
    new Page(origin);                   /* later, and sees the same */
    await everybodySees(2);

    await follow(zmq, env);
    await everybodySees(1000);
    await first.press();
    await everybodySees(3);
});
