/* application - somebody's HTTP server, to which webhooks are posted
 *
 * It keeps what it gets, and answers statuses from a list, 200 behind them; 0 is no answer at all.
 *
 * SPDX-License-Identifier: MIT
 */
import { createServer } from 'node:http';
import { after } from 'node:test';
import { until } from './wait.mjs';

export class Application {
    requests = [];
    answers = [];
    headers = {};

    static async start() {
        const one = new Application();
        one.server = createServer((request, response) => one.#take(request, response));
        await new Promise((resolve) => one.server.listen(0, '127.0.0.1', resolve));
        one.url = `http://127.0.0.1:${one.server.address().port}/hook?token=in-the-url`;
        after(() => {
            one.server.closeAllConnections();
            one.server.close();
        });
        return one;
    }

    async #take(request, response) {
        let body = '';
        request.setEncoding('utf8');
        for await (const piece of request)
            body += piece;
        const status = this.answers.shift() ?? 200;
        this.requests.push({ method: request.method, target: request.url, headers: request.headers, body,
            json: JSON.parse(body), id: request.headers['x-rooms-delivery'] });
        if (status)
            response.writeHead(status, this.headers).end('an answer that nobody reads');
    }

    async got(n) {
        await until(`${n} requests`, () => this.requests.length >= n);
        return this.requests[n - 1];
    }
}
