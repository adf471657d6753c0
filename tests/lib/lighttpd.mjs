/* lighttpd - the web server's configuration for one instance
 *
 * SPDX-License-Identifier: MIT
 */
import path from 'node:path';

/* handlers and relays: unix sockets. Sockets go to the first relay. */
export function lighttpdConfig({ dir, port, handlers, relays }) {
    const backends = handlers.map((one) =>
        `("socket" => "${one.socket}", "check-local" => "disable", "disable-time" => 0)`).join(', ');
    const relay = relays.length === 0 ? '' : `
$HTTP["url"] =~ "^/api/v1/ws(\\?|$)" {
    proxy.server = ("" => (("host" => "${relays[0].socket}")))
    proxy.header = ("upgrade" => "enable")
}`;
    return `server.document-root = "${path.join(dir)}"
server.port = ${port}
server.bind = "127.0.0.1"
server.errorlog = "/dev/stderr"
server.modules = ("mod_fastcgi", "mod_proxy", "mod_setenv")
server.max-request-size = 4096
server.http-parseopts = ("url-normalize" => "disable", "url-ctrls-reject" => "disable", "header-strict" => "enable")
fastcgi.server = ()
$HTTP["url"] !~ "^/api/v1/ws(\\?|$)" {
    fastcgi.server = ("/" => (${backends}))
}${relay}
`;
}
