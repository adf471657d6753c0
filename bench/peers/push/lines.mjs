/* lines - how the Node servers are published to: lines over one connection, so that it costs them next to nothing
 *
 * "PUB CHANNEL LENGTH", CRLF, data, CRLF.
 *
 * SPDX-License-Identifier: MIT
 */
import net from 'node:net';

/* publish(channel, data) is called for each. */
export function listenForLines(port, publish) {
    net.createServer((socket) => {
        let rest = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk) => {
            rest += chunk;
            let at = 0;
            for (;;) {
                const end = rest.indexOf('\r\n', at);
                if (end < 0)
                    break;
                const [, channel, length] = rest.slice(at, end).split(' ');
                const next = end + 4 + Number(length);
                if (rest.length < next)
                    break;
                publish(channel, rest.slice(end + 2, next - 2));
                at = next;
            }
            rest = rest.slice(at);
        });
    }).listen(port, '127.0.0.1');
}
