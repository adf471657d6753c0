/* bench - what every bench needs: sides measured in turn, wrk, tables
 *
 * BENCH_SECONDS and BENCH_ROUNDS: how long one side runs, and how often all of them take turns.
 *
 * SPDX-License-Identifier: MIT
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUILD } from '../../tests/lib/instance.mjs';

export const HERE = fileURLToPath(new URL('..', import.meta.url));
export const SECONDS = Number(process.env.BENCH_SECONDS || 3);
export const ROUNDS = Number(process.env.BENCH_ROUNDS || 3);

const execute = promisify(execFile);

/* Standard output of a program. Our own settings are not the program's. */
export async function run(command, args, env = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CONFAB_'));
    const { stdout } = await execute(command, args,
        { env: { ...Object.fromEntries(inherited), ...env }, maxBuffer: 1 << 24 }).catch((error) => {
        if (error.code === 'ENOENT')
            throw new Error(`${command} is needed, and not here`);
        throw error;
    });
    return stdout;
}

/* Builds the programs of this folder; the path of one. */
export async function buildPrograms() {
    await run('make', ['-s', '-C', BUILD, 'bench-programs']);
}

export function program(name) {
    return path.join(BUILD, 'bench', name);
}

/* 64 clients for a while; rate in requests per second, times in ms, CPU of pids in us per request. */
export async function wrk(pids, port, script, target, args = []) {
    const before = cpu(pids);
    const out = await run('wrk', ['-t1', '-c64', `-d${SECONDS}`, '--timeout', '20s',
        '-s', path.join(HERE, script), `http://127.0.0.1:${port}${target}`, '--', ...args.map(String)],
        { BENCH_DIR: HERE });
    const [requests, us, p50, p99, failures] = out.match(/^RESULT (.*)$/m)[1].split(' ').map(Number);
    return { rate: requests / us * 1e6, p50: p50 / 1000, p99: p99 / 1000,
        cpu: (cpu(pids) - before) * 1e6 / requests, failures };
}

export function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/* Runs all sides in turn, ROUNDS times: { name: { rate: median, p50: median, ..., rounds: [...] } }. Odd rounds go
 * backwards, so that nobody always follows the same neighbour. */
export async function inTurn(sides) {
    const seen = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
        const names = Object.keys(sides);
        for (const name of round % 2 ? names.reverse() : names)
            seen[name].push(await sides[name]());
    }
    const results = {};
    for (const [name, rounds] of Object.entries(seen)) {
        results[name] = Object.fromEntries(Object.keys(rounds[0]).map((key) =>
            [key, median(rounds.map((one) => one[key]))]));
        results[name].rounds = rounds;
        const failures = rounds.reduce((sum, one) => sum + (one.failures || 0), 0);
        if (failures)
            throw new Error(`${name}: ${failures} requests failed`);
    }
    return results;
}

/* One side's figure by another's: the median of what they were within each round, so that what the machine did
 * in between counts less. */
export function ratio(results, side, other, key) {
    return median(results[side].rounds.map((one, i) => one[key] / results[other].rounds[i][key]));
}

export function number(x) {
    return x >= 100 ? Math.round(x).toLocaleString('en-US') : x >= 10 ? x.toFixed(1) : x.toFixed(2);
}

/* A table in Markdown. */
export function table(title, columns, rows) {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    console.log([`\n### ${title}\n`, line(columns), line(columns.map((_, i) => i ? '---:' : '---')),
        ...rows.map((row) => line(row.map((cell) => typeof cell === 'number' ? number(cell) : cell)))]
        .join('\n'));
}

/* What was aimed at, and what came out. aims: [text, value, limit, 'min' | 'max'] */
export function verdict(aims) {
    table('Aims', ['', 'aim', 'measured', ''], aims.map(([text, value, limit, kind]) =>
        [text, `${kind === 'min' ? '≥' : '<'} ${limit}`, value,
            (kind === 'min' ? value >= limit : value < limit) ? 'met' : 'missed']));
}

/* CPU seconds that processes of one thread have used so far. */
export function cpu(pids) {
    return pids.reduce((sum, pid) =>
        sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9, 0);
}

/* Kilobytes of a process, from the kernel's account. */
export function memory(pid) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const field = (name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
    return { own: field('Private_Dirty'), resident: field('Rss') };
}
