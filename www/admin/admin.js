/* the operator's page: asks for the figures once a second and draws them
 *
 * The key lives in this module's memory and nowhere else: reload the page and it is gone.
 *
 * SPDX-License-Identifier: MIT
 */
const PAUSE_MS = 1000;
const KEPT = 120;               // points of a plot
const SVG = 'http://www.w3.org/2000/svg';

const byId = (id) => document.getElementById(id);
let key = '';
let previous = null;            // the figures before, and when they came

// Samples whose name fits, added up: a family may have several, by label.
const sum = (metrics, pattern) =>
    Object.entries(metrics).reduce((n, [name, value]) => pattern.test(name) ? n + value : n, 0);

// What is drawn: a gauge as it is, a counter by its rise each second.
const plots = [
    { title: 'connections', value: (f) => f.clients },
    { title: 'users', value: (f) => f.users },
    { title: 'channels', value: (f) => f.channels },
    { title: 'subscriptions', value: (f) => f.subscriptions },
    { title: 'publications / s', rate: (f) => sum(f.metrics, /push_publications_total/) },
    { title: 'deliveries / s', rate: (f) => sum(f.metrics, /push_deliveries_total/) },
    { title: 'commands / s', rate: (f) => sum(f.metrics, /push_commands_total/) },
    { title: 'bytes waiting', value: (f) => sum(f.metrics, /push_queued_bytes/) },
    { title: 'publications waiting', value: (f) => sum(f.metrics, /push_(zmq|history)_waiting/) },
    { title: 'hook events waiting', value: (f) => sum(f.metrics, /push_hook_waiting/) },
    { title: 'shed and refused / s', rate: (f) => sum(f.metrics, /push_(shed|refused)_total/) },
    { title: 'delivery p99, ms', value: (f) => f.latency_p99_us / 1000 },
];

function build(plot)
{
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    const svg = document.createElementNS(SVG, 'svg');

    plot.now = document.createElement('b');
    plot.line = document.createElementNS(SVG, 'polyline');
    plot.points = [];
    caption.append(plot.title, plot.now);
    svg.setAttribute('viewBox', `0 0 ${KEPT - 1} 100`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(plot.line);
    figure.append(caption, svg);
    byId('plots').append(figure);
}

const readable = (n) => n >= 100 ? Math.round(n).toLocaleString('en') : String(Math.round(n * 100) / 100);

function draw(plot, value)
{
    plot.points.push(value);
    if (plot.points.length > KEPT)
        plot.points.shift();
    const top = Math.max(...plot.points, 1);
    const first = KEPT - plot.points.length;
    plot.now.textContent = readable(value);
    plot.line.setAttribute('points',
        plot.points.map((v, i) => `${first + i},${98 - 96 * v / top}`).join(' '));
}

// A counter that fell began anew with the relay.
const risen = (now, before, seconds) => Math.max(0, now - before) / seconds;

function list(metrics, before, seconds)
{
    byId('all').replaceChildren(...Object.entries(metrics).map(([name, value]) => {
        const row = document.createElement('tr');
        const rate = before && /_total/.test(name) ? readable(risen(value, before[name] ?? 0, seconds)) : '';

        for (const text of [name, readable(value), rate])
            row.insertCell().textContent = text;
        return row;
    }));
}

function show(figures)
{
    const at = performance.now();
    const seconds = previous ? (at - previous.at) / 1000 : 1;

    for (const plot of plots) {
        if (plot.value)
            draw(plot, plot.value(figures));
        else if (previous)
            draw(plot, risen(plot.rate(figures), plot.rate(previous.figures), seconds));
    }
    if (byId('figures').querySelector('details').open)
        list(figures.metrics, previous?.figures.metrics, seconds);
    previous = { figures, at };
}

function say(text, bad)
{
    byId('state').textContent = text;
    byId('state').classList.toggle('bad', bad);
}

async function look()
{
    try {
        const answer = await fetch('figures', { headers: { 'X-API-Key': key }, cache: 'no-store' });

        if (answer.status === 401) {
            say('That key is not the one.', true);
            byId('door').hidden = false;
            return;
        }
        if (!answer.ok)
            throw new Error(`status ${answer.status}`);
        const figures = await answer.json();
        byId('door').hidden = true;
        byId('figures').hidden = false;
        show(figures);
        say(`as of ${new Date().toLocaleTimeString()}`, false);
    } catch (e) {
        say(`no answer: ${e.message}`, true);
    }
    setTimeout(look, PAUSE_MS);
}

plots.forEach(build);
byId('door').addEventListener('submit', (event) => {
    event.preventDefault();
    key = byId('key').value;
    byId('key').value = '';
    look();
});
