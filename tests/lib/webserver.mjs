/* webserver - the shipped configuration of each web server, in each of its modes, with the places of one instance
 *
 * A mode says how handlers are reached: each on a socket of its own; all on one (pool); or started by the server (starts).
 *
 * SPDX-License-Identifier: MIT
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fill, lighttpdConfig } from './lighttpd.mjs';

const MODULES = '/usr/lib/apache2/modules';
const BODY_FACTOR = 16;

const bodyMax = (confab) => Number(confab.env.CONFAB_BODY_MAX || 2097152) * BODY_FACTOR;
const relaySocket = (confab) => confab.relays[0]?.socket ?? path.join(confab.dir, 'no-relay.sock');

function written(confab, name, text) {
    const file = path.join(confab.dir, name);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
}

/* ---- lighttpd ---- */

/* As the first lines of the file tell. */
function withCgi(confab, text) {
    const lines = text.split('\n').filter((line) => !line.endsWith('#fastcgi')).map((line) => line.replace(/^#cgi /, ''));
    const armed = confab.faultEnv?.CONFAB_FAULT;
    return `${lines.join('\n')}\n${armed ? `setenv.add-environment = ("CONFAB_FAULT" => "${armed}")\n` : ''}`;
}

const lighttpd = (cgi) => (confab) => {
    const text = lighttpdConfig(confab);
    const config = written(confab, 'lighttpd.conf', cgi ? withCgi(confab, text) : text);
    /* by its whole name: it starts itself anew */
    return { command: process.env.LIGHTTPD || '/usr/sbin/lighttpd', args: ['-D', '-f', config] };
};

/* ---- nginx ---- */

function nginx(confab) {
    const { dir } = confab;
    const servers = confab.handlers.map(({ socket }) => `server unix:${socket} max_fails=0;`).join(' ');
    const site = fill('nginx.conf.in', {
        LISTEN: `127.0.0.1:${confab.port} backlog=2048`,
        BASE: confab.base,
        WWW: path.join(confab.files, 'www'),
        ERRORS: path.join(confab.files, 'deploy/errors'),
        HANDLERS: servers,
        LOGINS: servers,
        RELAY: `unix:${relaySocket(confab)}`,
        BODY_KIB: Math.floor(bodyMax(confab) / 1024),
        ACCESS_LOG: path.join(dir, 'access.log'),
        CORS: 'add_header Access-Control-Allow-Origin * always;',
    });
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${dir}/nginx-${what};`);
    const config = written(confab, 'nginx.conf', `pid ${dir}/nginx.pid;
error_log stderr;
worker_processes 1;
events { worker_connections 4096; }
http {
${temporary.join('\n')}
${site}
}
`);
    return { command: 'nginx', args: ['-e', 'stderr', '-p', dir, '-c', config, '-g', 'daemon off;'] };
}

/* ---- Apache ---- */

const APACHE = ['mpm_event', 'authz_core', 'alias', 'dir', 'env', 'headers', 'mime', 'proxy', 'proxy_http', 'reqtimeout', 'setenvif'];
const apacheMode = {
    fcgi: { modules: ['proxy_fcgi'], main: '' },
    fcgid: { modules: ['fcgid'], define: 'confab_fcgid',
             main: (dir, fault) => `FcgidIPCDir ${dir}\nFcgidProcessTableFile ${dir}/fcgid-table\n${fault ? `FcgidInitialEnv CONFAB_FAULT ${fault}` : ''}` },
    cgi: { modules: ['cgid'], define: 'confab_cgi',
           main: (dir, fault) => `ScriptSock ${dir}/cgid.sock\n${fault ? `SetEnv CONFAB_FAULT ${fault}` : ''}` },
};

const apache = (mode) => (confab) => {
    const { dir } = confab;
    const { modules, define, main } = apacheMode[mode];
    const handler = confab.handlers[0]?.socket ?? path.join(dir, 'no-handler.sock');
    const site = written(confab, 'site.conf', fill('apache.conf.in', {
        LISTEN: `127.0.0.1:${confab.port}`,
        BASE: confab.base,
        WWW: path.join(confab.files, 'www'),
        ERRORS: path.join(confab.files, 'deploy/errors'),
        HANDLER: handler,
        LOGIN: handler,
        LIBEXEC: path.join(confab.programs, 'fcgi'),
        SETTINGS: confab.env.CONFAB_CONFIG,
        RELAY: `unix:${relaySocket(confab)}|http://confab-relay`,
        BODY_BYTES: bodyMax(confab),
        ACCESS_LOG: path.join(dir, 'access.log'),
        CORS: 'Header always set Access-Control-Allow-Origin * "expr=%{REQUEST_STATUS} -ge 400"',
    }));
    const config = written(confab, 'apache.conf', `ServerRoot ${dir}
ServerName localhost
PidFile ${dir}/apache.pid
DefaultRuntimeDir ${dir}
Mutex file:${dir} default
ErrorLog /dev/stderr
Listen 127.0.0.1:${confab.port}
ListenBacklog 2048
${[...APACHE, ...modules].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
TypesConfig /etc/mime.types
ServerLimit 4
ThreadsPerChild 64
MaxRequestWorkers 256
<Directory />
    Require all denied
    AllowOverride None
</Directory>
${define ? `Define ${define}\n${main(dir, confab.faultEnv?.CONFAB_FAULT)}` : ''}
Include ${site}
`);
    return { command: 'apache2', args: ['-D', 'FOREGROUND', '-f', config] };
};

/* prepare writes the configuration and tells how to start the server; reload is the signal that lets it end what it is at
 * and go on with the configuration read anew. */
export const WEB = {
    lighttpd: { name: 'lighttpd', prepare: lighttpd(false), reload: 'SIGUSR1' },
    'lighttpd-cgi': { name: 'lighttpd', prepare: lighttpd(true), reload: 'SIGUSR1', starts: true },
    nginx: { name: 'nginx', prepare: nginx, reload: 'SIGHUP', pool: true },
    apache: { name: 'apache', prepare: apache('fcgi'), reload: 'SIGUSR1', pool: true },
    'apache-fcgid': { name: 'apache', prepare: apache('fcgid'), reload: 'SIGUSR1', starts: true },
    'apache-cgi': { name: 'apache', prepare: apache('cgi'), reload: 'SIGUSR1', starts: true },
};
