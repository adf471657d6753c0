/* Publishing over ZeroMQ, and from other languages as the examples show it.
 * SPDX-License-Identifier: MIT
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../lib/http.mjs';
import { test } from '../lib/instance.mjs';
import { KEY, PYTHON, SOURCE, Push, assert, curveKeys, numbers, run, until, withPush } from '../lib/push.mjs';

/* Endpoints in a short folder of their own. */
async function withEndpoints(options, body) {
    const dir = mkdtempSync(path.join(tmpdir(), 'zmq-'));
    const places = { pull: `ipc://${dir}/pull.sock`, router: `ipc://${dir}/router.sock` };
    try {
        await withPush({ ...options, settings: { push_publish_pull: places.pull, push_publish_router: places.router, push_data_max: 2000, ...options.settings } },
            (push) => body(push, places, dir));
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}

test('PULL: what is good arrives in order, what is bad is counted', async () => {
    await withEndpoints({}, async (push, { pull }, dir) => {
        for (const name of ['pull.sock', 'router.sock'])
            assert.equal(statSync(path.join(dir, name)).mode & 0o777, 0o660, name);
        const wire = await push.connected('anna');
        for (const channel of ['open:a', 'open:b', 'plain:c'])
            await wire.ask('subscribe', { channel });
        await push.zmq('push', pull, [
            ['open:a', { n: 1 }],
            ['nowhere:x', '1'], ['open:a', '{'], ['open:a', ''], ['', '1'], ['open:a'], ['open:a', '1', '{}', 'more'], ['open:a', '1', '[1]'], ['open:a', '1', 'x'],
            ['open:a', '1', { tags: 5 }], ['open:a', JSON.stringify('x'.repeat(3000))], [Buffer.from([0xff, 0xfe]), '1'], ['open:a', Buffer.from([0x22, 0xff, 0x22])],
            ['open:a\u0000', '1'], ['x'.repeat(300), '1'],
            ['open:a', '{\r\n"n":\n2}', { tags: { k: 'v' } }],
            ['open:a\nopen:b\nplain:c', { n: 3 }],
            ['open:b\nnowhere:x', { n: 4 }],
            ['plain:c', { n: 5 }, { idempotency_key: 'k' }], ['plain:c', { n: 6 }, { idempotency_key: 'k' }],
            ['open:a', { n: 7 }, { skip_history: true }],
            ...numbers(500, 100).map((n) => ['open:a', { n }]),
        ]);
        const of = (channel) => wire.pushes('pub').filter((one) => one.channel === channel).map(({ pub }) => pub.data.n);
        await until('the last one', () => of('open:a').includes(599));
        assert.deepEqual(of('open:a'), [1, 2, 3, 7, ...numbers(500, 100)]);
        assert.deepEqual(of('open:b'), [3, 4]);
        assert.deepEqual(of('plain:c'), [3, 5]);
        const offsets = wire.pushes('pub').filter((one) => one.channel === 'open:a' && one.pub.offset).map(({ pub }) => pub.offset);
        assert.deepEqual(offsets, numbers(503));
        const figures = await push.metrics();
        assert.equal(figures['confab_push_refused_total{by="pull"}'], Object.entries(figures)
            .filter(([name]) => name.startsWith('confab_push_zmq_refused_total{by="pull"')).reduce((sum, [, n]) => sum + n, 0));
        assert.ok(figures['confab_push_refused_total{by="pull"}'] >= 14, `${figures['confab_push_refused_total{by="pull"}']}`);
        assert.ok((push.relay.text().match(/publication_refused/g) ?? []).length < 10, 'logged at a bounded rate');
        assert.match(push.relay.text(), /publication_refused by=pull/);
    });
});

test('ROUTER: each is answered as the HTTP API would', async () => {
    await withEndpoints({}, async (push, { router }) => {
        const answers = await push.zmq('req', router, [
            ['open:a', { n: 1 }], ['open:a', { n: 2 }, { idempotency_key: 'k' }], ['open:a', { n: 3 }, { idempotency_key: 'k' }], ['plain:c', '1'],
            ['open:a\nnowhere:x\nopen:b', { n: 4 }], ['nowhere:x', '1'], ['open:a', '{'], ['', '1'], ['open:a', '1', '[1]'], ['open:a', '1', '[]'],
            ['open:a', JSON.stringify('x'.repeat(3000))], ['open:a'], ['open:a', '1', '{}', 'x'], ['open:a', { n: 5 }, { version: 9 }], ['open:a', { n: 6 }, { version: 8 }],
        ]);
        const [first, second, again, plain, several, ...rest] = answers;
        assert.deepEqual([first.result.offset, second.result.offset], [1, 2]);
        assert.equal(typeof first.result.epoch, 'string');
        assert.deepEqual(again, second);
        assert.deepEqual(plain, { result: {} });
        assert.deepEqual(several.result.responses.map((one) => one.error?.code ?? one.result.offset), [3, 102, 1]);
        assert.deepEqual(rest.map((one) => one.error?.code ?? one.result.offset), [102, 107, 107, 107, 4, 107, 107, 107, 5, 5]);
        const { publications } = await push.ok('history', { channel: 'open:a', limit: -1 });
        assert.deepEqual(publications.map(({ data }) => data.n ?? data), [1, 2, 4, 1, 5]);
        const dealt = await push.zmq('dealer', router, numbers(200).map((n) => [`${n}`, '', 'open:d', { n }]));
        assert.deepEqual(dealt.map((frames) => [Number(frames[0]), frames[1], frames[2].result.offset]), numbers(200).map((n) => [n, '', n]));
        /* both ends at once, and the API: one stream, no hole */
        await Promise.all([push.zmq('req', router, numbers(50).map((n) => ['open:e', { n }])), push.zmq('req', router, numbers(50).map((n) => ['open:e', { n }])),
            ...numbers(20).map((n) => push.publish('open:e', { n }))]);
        assert.equal((await push.ok('history', { channel: 'open:e' })).offset, 120);
    });
});

test('CURVE: who is listed gets in, nobody else', async () => {
    const [[serverPublic, serverSecret], mine, other] = await Promise.all([curveKeys(), curveKeys(), curveKeys()]);
    const port = await freePort();
    const endpoint = `tcp://127.0.0.1:${port}`;
    await withPush({ settings: { push_publish_router: endpoint, push_curve_secret_key: serverSecret, push_curve_clients: `${mine[0]} ${(await curveKeys())[0]}` } }, async (push) => {
        const [answer] = await push.zmq('req', endpoint, [['open:a', { n: 1 }]], serverPublic, ...mine);
        assert.equal(answer.result.offset, 1);
        for (const keys of [[], [serverPublic, ...other]])
            push.zmq('push', endpoint, [['open:a', '2']], ...keys).catch(() => {});
        await push.metric('confab_push_zmq_keys_refused_total');
        const [again] = await push.zmq('req', endpoint, [['open:a', { n: 3 }]], serverPublic, ...mine);
        assert.equal(again.result.offset, 2);
    });
});

test('endpoints that would let anybody in are refused at the start', async () => {
    for (const [settings, why] of [
        [{ push_publish_pull: `tcp://0.0.0.0:${await freePort()}` }, /beyond loopback/], [{ push_publish_pull: 'ipc://relative.sock' }, /must be ipc/],
        [{ push_publish_router: 'ipc:///tmp/confab-test-router.sock' }, /everybody may write/], [{ push_publish_pull: 'inproc://x' }, /must be ipc/],
    ])
        await assert.rejects(Push.start({ settings }), (error) => {
            assert.match(error.message, why, JSON.stringify(settings));
            return /ended with exit 1/.test(error.message);
        });
});

test('the examples, as they are', async () => {
    await withEndpoints({ api: 'own' }, async (push, { pull, router }, dir) => {
        const wire = await push.connected('anna');
        await wire.ask('subscribe', { channel: 'open:ex' });
        const program = path.join(dir, 'publish');
        await run('cc', ['-Wall', '-Wextra', '-Werror', path.join(SOURCE, 'docs/examples/push/publish.c'), '-lzmq', '-o', program]);
        const where = (name) => path.join(SOURCE, 'docs/examples/push', name);
        const env = { ...push.env, PUSH_KEY: KEY, PUSH_URL: `http://127.0.0.1:${push.apiPort}`, PUSH_ROUTER: router, PUSH_PULL: pull };
        const ways = {
            'curl': ['sh', where('publish.sh')], 'PHP': ['php', where('publish.php')], 'Node': [process.execPath, where('publish.mjs')],
            'Python, HTTP': [PYTHON, where('publish.py'), 'http'], 'Python, REQ': [PYTHON, where('publish.py'), 'router'],
            'Python, PUSH': [PYTHON, where('publish.py'), 'pull'], 'PHP, ZeroMQ': ['php', where('publish_zmq.php')], 'C': [program],
        };
        for (const [language, [command, ...args]] of Object.entries(ways)) {
            const data = { by: language, text: 'ä "quoted" \\ 🥁' };
            const { stdout } = await run(command, [...args, 'open:ex', JSON.stringify(data)], { env }).catch((error) => {
                throw new Error(`${language}: ${error.message} ${error.stderr}`);
            });
            await wire.find((line) => line.push?.pub?.data.by === language);
            assert.deepEqual(wire.pushes('pub').at(-1).pub.data, data);
            if (language !== 'Python, PUSH') {
                assert.match(stdout, /"offset": ?\d/, language);
                const failure = await run(command, [...args, 'nowhere:x', '1'], { env }).then(() => null, (error) => error);
                assert.ok(failure && /102/.test(failure.stderr + failure.stdout), `${language}: ${failure}`);
            }
        }
    });
});
