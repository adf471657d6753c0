/* routes - every route that an instance serves, and what no answer may hold
 *
 * SPDX-License-Identifier: MIT
 */

/* { method, path, who, target } of each; fill(i, name) gives what stands in a parameter's place. */
export async function everyRoute(confab, fill) {
    let n = 0;
    return (await confab.ctl('routes')).trim().split('\n').map((line) => {
        const [, method, path, who] = /^(\S+) (\S+) (.+)$/.exec(line);
        return { method, path, who, target: path.replace(/[:*](\w+)/g, (whole, name) => fill(n++, name)) };
    });
}

/* Names of files, of SQL, of memory, of this instance. */
export function leaks(confab, answer) {
    const text = `${JSON.stringify(answer.headers)}${answer.text}`;
    return /sqlite|\bselect\b.*\bfrom\b|insert into|constraint failed|\w\.[ch]:\d|errno|0x[0-9a-f]{6,}|backtrace|\/usr\/|\/home\//i.test(text)
        || text.includes(confab.dir);
}
