/* attacks - requests about whose end two programs may disagree
 *
 * Each carries a second request, `stolen`, where one of them may see it begin. A server that is sane answers once,
 * mostly with 400, and hangs up; where both framings agree on one end it may answer what comes behind it as a request of
 * its own only if that is what was sent.
 *
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';
import { within } from '../lib/wait.mjs';

/* The statuses of all answers on one connection, until it is closed or silent. */
function exchange(port, bytes) {
    return within('the end of an attack', new Promise((resolve) => {
        const chunks = [];
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        const end = () => {
            socket.destroy();
            const text = Buffer.concat(chunks).toString('latin1');
            resolve([...text.matchAll(/(?:^|\n|\}|>)HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]))
                .filter((status) => status >= 200));
        };
        socket.on('data', (data) => { chunks.push(data); socket.setTimeout(300, end); });
        socket.setTimeout(1500, end);
        socket.on('error', () => {});
        socket.on('close', end);
    }));
}

export function attacks(target, stolen, base) {
    const head = (...lines) => [`POST ${target} HTTP/1.1`, 'Host: x', 'Content-Type: text/plain', ...lines, '', ''].join('\r\n');
    const n = stolen.length;
    const chunk = `${n.toString(16)}\r\n${stolen}\r\n0\r\n\r\n`;
    const list = {
        'two lengths, the first is shorter': head('Content-Length: 0', `Content-Length: ${n}`) + stolen,
        'two lengths, the second is shorter': head(`Content-Length: ${n}`, 'Content-Length: 0') + stolen,
        'two lengths in one': head(`Content-Length: 0, ${n}`) + stolen,
        'a length with a sign': head(`Content-Length: +${n}`) + stolen,
        'a negative length': head('Content-Length: -1') + stolen,
        'a length in hexadecimal': head('Content-Length: 0x0') + stolen,
        'a length that is too long': head('Content-Length: 18446744073709551616') + stolen,
        'a length with a space before the colon': head(`Content-Length : ${n}`) + stolen,
        'length and chunks, the chunks end first': head(`Content-Length: ${n + 5}`, 'Transfer-Encoding: chunked') + `0\r\n\r\n${stolen}`,
        'chunks and length, the length ends first': head('Transfer-Encoding: chunked', 'Content-Length: 4') + chunk,
        'chunked, spelled with a tab': head('Transfer-Encoding:\tchunked', 'Content-Length: 4') + chunk,
        'chunked, and something else': head('Transfer-Encoding: chunked, identity', `Content-Length: ${n + 5}`) + `0\r\n\r\n${stolen}`,
        'something that looks like chunked': head('Transfer-Encoding: xchunked', `Content-Length: ${n + 5}`) + `0\r\n\r\n${stolen}`,
        'chunked in quotes': head('Transfer-Encoding: "chunked"', 'Content-Length: 4') + chunk,
        'chunked with a vertical tab': head('Transfer-Encoding: \x0bchunked', 'Content-Length: 4') + chunk,
        'chunked, folded': head('Transfer-Encoding:\r\n chunked', `Content-Length: ${n + 5}`) + `0\r\n\r\n${stolen}`,
        'a first line that is folded': `POST ${target} HTTP/1.1\r\n Host: x\r\nContent-Length: ${n}\r\n\r\n${stolen}`,
        'a bare CR within a header': head('X-A: b\rTransfer-Encoding: chunked', `Content-Length: ${n + 5}`) + `0\r\n\r\n${stolen}`,
        'NUL within a header': head('X-A: b\0c', 'Content-Length: 0') + stolen,
        'chunked twice': head('Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Content-Length: 4') + chunk,
        'chunks of HTTP/1.0': head('Transfer-Encoding: chunked', 'Content-Length: 4').replace('HTTP/1.1', 'HTTP/1.0') + chunk,
        'a chunk whose size is no number': head('Transfer-Encoding: chunked') + `x\r\n\r\n${stolen}`,
        'a chunk whose size is negative': head('Transfer-Encoding: chunked') + `-1\r\n\r\n${stolen}`,
        'a chunk whose size wraps': head('Transfer-Encoding: chunked') + `10000000000000000\r\n${stolen}`,
        'a chunk that does not end where it says': head('Transfer-Encoding: chunked') + `1\r\nxx\r\n${stolen}`,
        'a chunk with 0x': head('Transfer-Encoding: chunked') + `0x0\r\n\r\n${stolen}`,
        'two hosts': head('Host: y', 'Content-Length: 0'),
    };
    /* These are two requests for whoever may unfold lines, or goes by the header that is there. */
    const honest = `GET ${base}/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const two = {
        'a folded line that looks like a length': head('X-A: b', ` Content-Length: ${honest.length}`) + honest,
        'an underscore makes another header': head(`Content_Length: ${honest.length}`) + honest,
    };
    const sent = (all, most) => Object.entries(all).map(([name, bytes]) => ({ name, most, send: (port) => exchange(port, bytes) }));
    return [...sent(list, 1), ...sent(two, 2)];
}
