/* server - an ordinary chat server in Node: express and better-sqlite3. DATABASE PORT
 *
 * Writes the same rows as a handler, as durably, into a database of the same schema. It neither
 * sanitises, nor numbers the page's edges, nor tells a relay.
 *
 * SPDX-License-Identifier: MIT
 */
import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import express from 'express';

const [file, port] = process.argv.slice(2);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.pragma('foreign_keys = ON');

const sql = Object.fromEntries(Object.entries({
    conversation: 'SELECT id FROM conversation WHERE uid = ?',
    member: 'SELECT read_n, unread_n FROM member WHERE conversation = ? AND user = ?',
    next: `UPDATE conversation SET last_n = last_n + 1, last_at = max(?, last_at + 1),
           activity_at = max(?, last_at + 1) WHERE id = ? RETURNING last_n, last_at`,
    insert: `INSERT INTO entry (uid, conversation, n, kind, author, content, at)
             VALUES (?, ?, ?, 0, ?, ?, ?)`,
    unarchive: 'UPDATE member SET archived = 0 WHERE conversation = ? AND archived = 1 RETURNING user',
    unread: `SELECT EXISTS (SELECT 1 FROM entry WHERE conversation = ? AND n > ? AND kind = 0
             AND author <> ?) AS some`,
    read: 'UPDATE member SET read_n = ?, unread_n = ? WHERE conversation = ? AND user = ?',
    head: 'UPDATE log_state SET head = head + ? WHERE id = 1 RETURNING head',
    event: 'INSERT INTO event (seq, at, about, envelope, body) VALUES (?, ?, ?, ?, ?)',
    channel: 'INSERT INTO event_channel (channel, seq) VALUES (?, ?)',
    page: `SELECT e.uid, e.n, e.kind, e.author, e.content, e.at, e.edited_at, r.uid AS reply
           FROM entry e LEFT JOIN entry r ON r.id = e.reply_to
           WHERE e.conversation = ? ORDER BY e.n DESC LIMIT ?`,
}).map(([name, text]) => [name, db.prepare(text)]));

function newId() {
    const id = randomBytes(16);
    id.writeUIntBE(Date.now(), 0, 6);
    id[6] = 0x70 | id[6] & 15;
    id[8] = 0x80 | id[8] & 63;
    return id;
}

const uuid = (bytes) =>
    bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');

function refuse(status, message) {
    throw Object.assign(new Error(message), { status });
}

function enter(dialog, user) {
    const conversation = sql.conversation.get(Buffer.from(dialog.replaceAll('-', ''), 'hex'));
    const member = conversation && sql.member.get(conversation.id, user);
    if (!member)
        refuse(403, 'Forbidden: not a participant');
    return { key: conversation.id, member };
}

function message(dialog, row) {
    return {
        id: uuid(row.uid), dialog_id: dialog, sender_id: row.author, content: row.content,
        sent_at: new Date(row.at).toISOString(), message_type: row.kind ? 'system' : 'user',
        last_edited_at: row.edited_at ? new Date(row.edited_at).toISOString() : null,
        reply_to_id: row.reply ? uuid(row.reply) : null,
    };
}

function log(dialog, user, id, bodies) {
    const channel = `dialog:${dialog}`;
    const first = sql.head.get(bodies.length).head - bodies.length + 1;
    bodies.forEach((body, i) => {
        sql.event.run(first + i, Date.now(), i ? null : id, Buffer.from(`${channel} ${user}`),
            JSON.stringify(body));
        sql.channel.run(channel, first + i);
    });
}

const send = db.transaction((dialog, user, content) => {
    const { key, member } = enter(dialog, user);
    const now = Date.now();
    const { last_n: n, last_at: at } = sql.next.get(now, now, key);
    const uid = newId();
    const { lastInsertRowid } = sql.insert.run(uid, key, n, user, content, at);
    sql.unarchive.all(key);
    const unread = sql.unread.get(key, member.unread_n, user).some;
    sql.read.run(n, n, key, user);
    const sent = message(dialog, { uid, author: user, content, at });
    const bodies = [{ type: 'message.new', ...sent }];
    if (unread)
        bodies.push({ type: 'message.read', dialog_id: dialog, user_id: user, last_read_message_id: sent.id });
    log(dialog, user, lastInsertRowid, bodies);
    return sent;
});

const app = express();
app.use(express.json());
app.post('/api/v1/dialogs/:id/messages', (req, res) => {
    const { content } = req.body;
    if (typeof content !== 'string' || content.trim() === '' || content.length > 50000)
        refuse(400, 'content is required');
    res.json({ data: send.immediate(req.params.id, String(req.query.user_id), content) });
});
app.get('/api/v1/dialogs/:id/messages', (req, res) => {
    const { key } = enter(req.params.id, String(req.query.user_id));
    const limit = Math.min(Number(req.query.limit) || 50, 100);
    const messages = sql.page.all(key, limit).reverse().map((row) => message(req.params.id, row));
    res.json({ data: { messages, has_more_before: messages.length === limit, has_more_after: false } });
});
app.use((error, req, res, next) => {
    if (res.headersSent)
        next(error);
    else
        res.status(error.status || 500).json({ error: { code: 'ERROR', message: error.message } });
});
app.listen(Number(port), '127.0.0.1');
