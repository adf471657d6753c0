/* jwt - tokens, good ones and bad ones
 *
 * SPDX-License-Identifier: MIT
 */
import { createHmac, createSign, sign } from 'node:crypto';

const b64 = (value) => Buffer.from(value).toString('base64url');

/* A signed token; header, alg and key can be made wrong on purpose. */
export function mint(claims, secret, { alg = 'HS256', header = {} } = {}) {
    const text = `${b64(JSON.stringify({ alg, typ: 'JWT', ...header }))}.${b64(JSON.stringify(claims))}`;
    if (alg === 'none')
        return `${text}.`;
    if (alg.startsWith('RS'))
        return `${text}.${createSign(`RSA-SHA${alg.slice(2)}`).update(text).sign(secret, 'base64url')}`;
    if (alg.startsWith('ES'))
        return `${text}.${sign(`sha${alg.slice(2)}`, Buffer.from(text), { key: secret, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    if (alg === 'EdDSA')
        return `${text}.${sign(null, Buffer.from(text), secret).toString('base64url')}`;
    return `${text}.${createHmac(`sha${alg.slice(2)}`, secret).update(text).digest('base64url')}`;
}

export const now = () => Math.floor(Date.now() / 1000);
