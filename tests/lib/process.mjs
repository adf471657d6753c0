/* process - one program under test: started, watched, killed
 *
 * Whatever ends without having been told to is an unexpected death and is reported when
 * the instance stops. Its log goes to a file of its own.
 *
 * SPDX-License-Identifier: MIT
 */
import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync } from 'node:fs';
import { until, within } from './wait.mjs';

/* What a child that leads a group has left behind. */
function endGroup(child) {
    if (!child.leads || !child.pid)
        return;
    try {
        process.kill(-child.pid, 'SIGKILL');
    } catch {
        /* nobody is left */
    }
}

/* Nothing outlives the test, however it ends. */
const children = new Set();
process.on('exit', () => {
    for (const child of children) {
        child.kill('SIGKILL');
        endGroup(child);
    }
});
for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])
    process.once(signal, () => process.exit(128 + number));

export class Process {
    starts = 0;
    complaints = [];

    /* ready(): is it serving? group: it has children, which end with it */
    constructor(name, command, args, { env, log, ready, cwd, uid, gid, group = false, goodEnd = /^exit 0$/ }) {
        Object.assign(this, { name, command, args, env, log, ready, cwd, uid, gid, group, goodEnd });
    }

    async start(extraEnv = {}) {
        this.launch(extraEnv);
        await until(`${this.name} to serve`, () => this.status || this.ready()).catch((error) => {
            throw new Error(`${error.message}\n${this.tail()}`);
        });
        if (this.status)
            throw new Error(`${this.name} ended with ${this.status}\n${this.tail()}`);
        return this;
    }

    /* Starts without waiting for anything. */
    launch(extraEnv = {}) {
        const out = openSync(this.log, 'a');
        if (this.uid !== undefined)
            fchownSync(out, this.uid, this.gid);        /* /dev/stderr may be opened anew */
        const child = spawn(this.command, this.args,
            { cwd: this.cwd, uid: this.uid, gid: this.gid, detached: this.group, env: { ...this.env, ...extraEnv }, stdio: ['ignore', out, out] });
        closeSync(out);
        child.leads = this.group;
        children.add(child);
        this.child = child;
        this.status = null;
        this.told = false;
        this.starts++;
        this.exited = new Promise((resolve) => {
            const ended = (status) => {
                children.delete(child);
                endGroup(child);
                if (child !== this.child || this.status)
                    return;
                this.status = status;
                if (!this.told)
                    this.complaints.push(`${this.name} ended by itself: ${status}`);
                resolve(status);
            };
            child.on('exit', (code, signal) => ended(signal ?? `exit ${code}`));
            child.on('error', (error) => ended(error.message));
        });
    }

    get running() {
        return this.child && !this.status;
    }

    get pid() {
        return this.child.pid;
    }

    signal(name) {
        this.child.kill(name);
    }

    /* Announces that it will die of something the test arranged. */
    mayDie() {
        this.told = true;
        return this;
    }

    died(what = 'its death') {
        return within(`${this.name}: ${what}`, this.exited);
    }

    async kill() {
        if (this.running) {
            this.told = true;
            this.child.kill('SIGKILL');
            await this.died();
        }
    }

    /* SIGTERM; an end other than goodEnd is a complaint. */
    async stop() {
        if (!this.running)
            return;
        this.told = true;
        this.child.kill('SIGCONT');
        this.child.kill('SIGTERM');
        const status = await this.died('the end after SIGTERM').catch((error) => {
            this.child.kill('SIGKILL');
            return error.message;
        });
        if (!this.goodEnd.test(status))
            this.complaints.push(`${this.name} did not stop well: ${status}`);
    }

    async restart(extraEnv) {
        await this.stop();
        await this.start(extraEnv);
    }

    text() {
        try {
            return readFileSync(this.log, 'utf8');
        } catch {
            return '';
        }
    }

    tail(lines = 60) {
        return `---- ${this.name} (${this.log})\n${this.text().split('\n').slice(-lines).join('\n')}`;
    }

    /* What a sanitizer said, or failed assertions. */
    reports() {
        return this.text().split('\n').filter((line) =>
            /ERROR: \w+Sanitizer|SUMMARY: \w+Sanitizer|runtime error:|Assertion .* failed|free\(\): |corrupted/.test(line))
            .map((line) => `${this.name}: ${line}`);
    }
}
