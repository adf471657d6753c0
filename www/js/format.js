/* format - times, names and system messages in words
 *
 * SPDX-License-Identifier: MIT
 */
import { toText } from './html.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat('en', { weekday: 'long' });
const date = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long' });
const dated = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const brief = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });

export function timeOf(at) {
    return clock.format(new Date(at));
}

/* The same for all moments of one local day. */
export function dayKey(at) {
    const d = new Date(at);
    return `${d.getFullYear()}-${d.getMonth() + 1}-${d.getDate()}`;
}

export function dayOf(at, now = new Date()) {
    const days = daysBetween(at, now);
    if (days <= 0)
        return 'Today';
    if (days === 1)
        return 'Yesterday';
    const d = new Date(at);
    if (days < 7)
        return weekday.format(d);
    return d.getFullYear() === now.getFullYear() ? date.format(d) : dated.format(d);
}

/* For the list: the clock today, else as little as tells. */
export function whenOf(at, now = new Date()) {
    const days = daysBetween(at, now);
    if (days <= 0)
        return timeOf(at);
    return days < 7 ? weekday.format(new Date(at)).slice(0, 3) : brief.format(new Date(at));
}

export function systemText(content) {
    let said;
    try {
        said = JSON.parse(content);
    } catch {
        return content;
    }
    switch (said?.event) {
    case 'chat_created':
        return `Chat created with ${(said.participants ?? []).map((p) => p.name).join(', ')}`;
    case 'participant_joined':
        return `${said.name} joined`;
    case 'participant_left':
        return `${said.name} left`;
    default:
        return content;
    }
}

/* One line of a message, for lists and quotes. */
export function lineOf(message) {
    const text = message.message_type === 'system' ? systemText(message.content) : toText(message.content);
    return text.replace(/\s+/g, ' ').slice(0, 200) || (message.attachments?.length ? 'Attachment' : '');
}

function daysBetween(at, now) {
    const start = (d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
    return Math.round((start(now) - start(new Date(at))) / 86400000);
}
