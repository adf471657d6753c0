/* view-graph - agents and how they feel about each other, drawn; and what moves it
 *
 * By pointer a line is dragged up or down; by keyboard a pair is chosen and the slider moved. Colours and widths are
 * CSS's, from a class and two properties set by script, which the content security policy allows.
 *
 * SPDX-License-Identifier: MIT
 */
import { avatar, h, keep } from '../../js/dom.js';
import { place } from './layout.js';
import { edgeKey, levelOf } from './room.js';

const width = 400, height = 340;
const radius = 22;
const dragFor = 120;            /* px from 0 to 1 */
const step = 0.05;
const nameMax = 16;
const valuesUpTo = 8;           /* agents; with more only the chosen line tells its value */
const still = 0.5;              /* px */

export class GraphView {
    #at;                        /* svg, pair, level, text, agents */
    #onAgent;
    #room = null;
    #chosen = '';
    #spots = new Map();         /* agent id -> {x, y}, as drawn */
    #moving = 0;
    #calm = matchMedia('(prefers-reduced-motion: reduce)');

    constructor(at, onAgent) {
        this.#at = at;
        this.#onAgent = onAgent;
        at.svg.append(s('g', { class: 'edges' }), s('g', { class: 'nodes' }));
        at.pair.addEventListener('change', () => this.#choose(at.pair.value));
        at.level.addEventListener('input', () => this.#room?.feel(this.#chosen, Number(at.level.value)));
    }

    render(room) {
        if (room !== this.#room) {
            this.#room = room;
            this.#chosen = '';
            this.#spots.clear();
        }
        if (!room)
            return;
        const edges = [...room.edges];
        if (!room.edges.has(this.#chosen))
            this.#chosen = edges[0]?.[0] ?? '';
        keep(this.#at.agents, room.agents.map((agent) => this.#agentRow(agent)));
        keep(this.#at.svg.querySelector('.edges'), edges.map(([key]) => ({ key, sign: key, make: () => this.#edge(key) })));
        keep(this.#at.svg.querySelector('.nodes'), room.agents.map((agent) =>
            ({ key: agent.id, sign: JSON.stringify(agent), make: () => this.#node(agent) })));
        this.#showSlider(edges);
        this.#move();
    }

    #choose(key) {
        this.#chosen = key;
        this.render(this.#room);
    }

    #names(key) {
        const { from, to } = this.#room.edges.get(key);
        return `${this.#room.agent(from)?.name ?? '?'} – ${this.#room.agent(to)?.name ?? '?'}`;
    }

    #showSlider(edges) {
        const { pair, level, text } = this.#at;
        pair.form.hidden = !edges.length;
        keep(pair, edges.map(([key, edge]) => {
            const name = `${this.#names(key)}: ${shown(levelOf(edge))}`;
            return { key, sign: name, make: () => h('option', { value: key }, name) };
        }));
        if (!edges.length)
            return;
        pair.value = this.#chosen;
        const value = levelOf(this.#room.edges.get(this.#chosen));
        level.value = value;
        level.setAttribute('aria-valuetext', shown(value));
        text.value = shown(value);
    }

    #agentRow(agent) {
        return { key: agent.id, sign: JSON.stringify(agent), make: () => h('li', {},
            h('button', { class: 'item', type: 'button', 'data-act': 'agent', onclick: () => this.#onAgent(agent.id) },
                avatar(agent.name, agent.id, 'small'), h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, agent.name)),
                h('span', { class: 'item-side', title: agent.mood.mood }, agent.mood.icon,
                    h('span', { class: 'unseen' }, agent.mood.mood)))) };
    }

    /* ---- drawing ---- */

    #edge(key) {
        const edge = s('g', { class: 'edge' }, s('line', { class: 'line' }), s('line', { class: 'hit' }), s('text', { class: 'value' }));
        edge.addEventListener('pointerdown', (event) => this.#drag(key, edge, event));
        return edge;
    }

    #node({ id, name, mood }) {
        const short = [...name].length > nameMax ? `${[...name].slice(0, nameMax - 1).join('')}…` : name;
        const node = s('g', { class: 'node' }, s('circle', { r: radius }),
            s('text', { class: 'letters' }, [...name.trim()][0]?.toUpperCase() ?? '?'),
            s('text', { class: 'mood', x: radius - 4, y: 4 - radius / 1.6 }, mood.icon), s('text', { class: 'name', y: radius + 17 }, short));
        node.addEventListener('click', () => this.#onAgent(id));
        return node;
    }

    /* Goes where things belong by now, in a few frames. */
    #move() {
        const { agents, edges } = this.#room;
        const levels = agents.map((a) => agents.map((b) => a === b ? 0 : levelOf(edges.get(edgeKey(a.id, b.id)) ?? { wish: 0 })));
        const goals = place(levels, width, height);
        const advance = () => {
            let far = false;
            for (const [i, { id }] of agents.entries()) {
                const from = this.#spots.get(id) ?? goals[i], goal = goals[i];
                const near = this.#calm.matches || Math.hypot(goal.x - from.x, goal.y - from.y) < still;
                far ||= !near;
                this.#spots.set(id, near ? goal : { x: from.x + (goal.x - from.x) * 0.25, y: from.y + (goal.y - from.y) * 0.25 });
            }
            this.#draw();
            this.#moving = far ? requestAnimationFrame(advance) : 0;
        };
        cancelAnimationFrame(this.#moving);
        advance();
    }

    #draw() {
        const [edges, nodes] = this.#at.svg.children;
        for (const node of nodes.children) {
            const { x, y } = this.#spots.get(node.dataset.key);
            node.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
        }
        for (const element of edges.children)
            this.#drawEdge(element, this.#room.edges.get(element.dataset.key));
        this.#at.svg.setAttribute('aria-label', `The graph of relationships: ${nodes.children.length} agents`);
    }

    #drawEdge(element, edge) {
        const a = this.#spots.get(edge.from), b = this.#spots.get(edge.to);
        const level = levelOf(edge), chosen = element.dataset.key === this.#chosen;
        if (!a || !b)
            return;
        element.dataset.level = level;
        element.setAttribute('class', `edge ${level > 0 ? 'good' : level < 0 ? 'bad' : ''}${chosen ? ' chosen' : ''}`);
        element.style.setProperty('--size', Math.abs(level));
        const [line, hit, value] = element.children;
        for (const one of [line, hit])
            for (const [name, to] of [['x1', a.x], ['y1', a.y], ['x2', b.x], ['y2', b.y]])
                one.setAttribute(name, to.toFixed(1));
        value.setAttribute('x', ((a.x + b.x) / 2).toFixed(1));
        value.setAttribute('y', ((a.y + b.y) / 2).toFixed(1));
        value.textContent = chosen || (level !== 0 && this.#room.agents.length <= valuesUpTo) ? shown(level) : '';
    }

    /* ---- dragging ---- */

    #drag(key, element, { pointerId, clientY }) {
        const from = levelOf(this.#room.edges.get(key));
        const room = this.#room;
        this.#choose(key);
        element.setPointerCapture(pointerId);
        element.onpointermove = (event) => {
            const raw = from + (clientY - event.clientY) / dragFor;
            const level = Math.max(-1, Math.min(1, Math.round(raw / step) * step));
            const edge = room.edges.get(key);
            if (edge && Math.abs(level - levelOf(edge)) > step / 2)
                room.feel(key, Number(level.toFixed(2)));
        };
        element.onlostpointercapture = () => { element.onpointermove = element.onlostpointercapture = null; };
    }
}

function shown(level) {
    return `${level > 0 ? '+' : level < 0 ? '−' : ''}${Math.abs(level).toFixed(2)}`;
}

function s(tag, attributes, ...children) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, value);
    element.append(...children);
    return element;
}
