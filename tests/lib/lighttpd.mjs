/* lighttpd - the shipped configuration with the places of one instance
 *
 * SPDX-License-Identifier: MIT
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../..', import.meta.url));

/* The words between @ signs in a text without its comments. */
export function fill(name, values) {
    const lines = readFileSync(path.join(source, 'deploy', name), 'utf8').split('\n').filter((line) => !/^#( |$)/.test(line));
    return lines.join('\n').replace(/@([A-Z_]+)@/g, (whole, word) => {
        if (!(word in values))
            throw new Error(`deploy/${name}: nobody fills in ${whole}`);
        return values[word];
    });
}

/* handlers are unix sockets, relays are, too, or ports; sockets go to the first relay. logins: handlers for these alone. */
export function lighttpdConfig({ dir, port, handlers, logins = [], relays, env, base = '', files = source, programs = process.env.CONFAB_BUILD || source }) {
    const listed = (list) => list.map(({ socket }) =>
        `("socket" => "${socket}", "check-local" => "disable", "disable-time" => 0, "fix-root-scriptname" => "enable")`).join(', ');
    const bodyMax = Number(env.CONFAB_BODY_MAX || 2097152);
    const credentials = ['1', 'true'].includes(env.CONFAB_CORS_ALLOW_CREDENTIALS);
    const origins = env.CONFAB_CORS_ALLOWED_ORIGINS || '*';
    const values = {
        PORT: port,
        BASE: base,
        MOUNT: base || '/',
        WWW: path.join(files, 'www'),
        HANDLERS: listed(handlers),
        LOGINS: listed(logins.length ? logins : handlers),
        RELAY: relays[0]?.port ? `"host" => "127.0.0.1", "port" => ${relays[0].port}`
            : `"host" => "${relays[0]?.socket ?? path.join(dir, 'no-relay.sock')}"`,
        BODY_KIB: Math.floor(bodyMax / 1024) * 16,
        PROGRAM: path.join(programs, 'fcgi/confab.fcgi'),
        SETTINGS: env.CONFAB_CONFIG ?? '',
        ERRORS: path.join(files, 'deploy/errors'),
        ERROR_LOG: '/dev/stderr',
        ACCESS_LOG: path.join(dir, 'access.log'),
        CORS: origins === '*' && !credentials ? 'setenv.set-response-header = ("Access-Control-Allow-Origin" => "*")' : '',
    };
    return fill('lighttpd.conf.in', values);
}
