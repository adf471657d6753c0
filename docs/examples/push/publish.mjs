#!/usr/bin/env node
// publish.mjs - publish over the HTTP API with Node's fetch
//
//   PUSH_KEY=... [PUSH_URL=http://127.0.0.1:8082] node publish.mjs CHANNEL DATA
//
// DATA is one JSON value. In an application call pushApi() with any method of the API.
// SPDX-License-Identifier: MIT
import process from 'node:process';

/** One call of the server API: its result, or an exception. */
export async function pushApi(url, key, method, params)
{
    const answer = await fetch(`${url}/api/${method}`, {
        method: 'POST',
        headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
        body: JSON.stringify(params),
        signal: AbortSignal.timeout(10000),
    });

    if (!answer.ok)
        throw new Error(`status ${answer.status}: ${await answer.text()}`);
    const { result, error } = await answer.json();
    if (error)
        throw new Error(`${error.code}: ${error.message}`);
    return result;
}

const [channel, data] = process.argv.slice(2);
const { PUSH_KEY: key, PUSH_URL: url = 'http://127.0.0.1:8082' } = process.env;
if (!channel || !data || !key) {
    console.error('usage: PUSH_KEY=... node publish.mjs CHANNEL DATA');
    process.exit(2);
}
console.log(JSON.stringify(await pushApi(url, key, 'publish', { channel, data: JSON.parse(data) })));
