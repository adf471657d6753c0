/* assert - the checks that every file needs
 *
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';

export { assert };

export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$/;

/* A well-formed uuid that names nothing. */
export const NOWHERE = '01900000-0000-7000-8000-000000000000';

/* An answer in the contract's error shape: JSON, CORS, a sentence. code null: the contract names none. */
export function refused(answer, status, code, word) {
    const said = `${answer.status} ${answer.text.slice(0, 300)}`;
    assert.equal(answer.status, status, said);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/, said);
    assert.ok(answer.json?.error, said);
    if (code)
        assert.equal(answer.json.error.code, code, said);
    assert.equal(typeof answer.json.error.message, 'string');
    assert.ok(answer.json.error.message.length > 0, said);
    assert.equal(answer.headers['access-control-allow-origin'], '*', `CORS on ${said}`);
    if (word)
        assert.ok(answer.json.error.message.includes(word), said);
}

/* A good answer: its data, or its body where it is not wrapped. */
export function fine(answer, status = 200) {
    assert.equal(answer.status, status, `${answer.status} ${answer.text.slice(0, 300)}`);
    if (status === 204) {
        assert.equal(answer.text, '');
        return undefined;
    }
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.ok(answer.json !== undefined, answer.text);
    return 'data' in answer.json ? answer.json.data : answer.json;
}

/* Exactly these keys, in any order. */
export function keys(object, ...names) {
    assert.deepEqual(Object.keys(object).sort(), names.flat().sort());
}
