/* layout - where agents stand: the better two like each other, the closer
 *
 * Every pair has a length it would like to have; places begin on a circle and are moved until the lengths fit as well as they
 * can. The same feelings always give the same picture, in every tab.
 *
 * SPDX-License-Identifier: MIT
 */

const rounds = 60;
const neutral = 240;
const pull = 0.45;              /* how much of the length full sympathy takes away */
const margin = { x: 52, top: 34, bottom: 50 };

/* levels[i][j], symmetric. [{x, y}] in a box of that size. */
export function place(levels, width, height) {
    const n = levels.length;
    const radius = n < 2 ? 0 : neutral / 2 / Math.sin(Math.PI / Math.max(n, 2));
    const start = n === 2 ? Math.PI : -Math.PI / 2;
    let spots = levels.map((_, i) => ({ x: radius * Math.cos(start + 2 * Math.PI * i / n), y: radius * Math.sin(start + 2 * Math.PI * i / n) }));
    for (let round = 0; round < rounds && n > 1; round++)
        spots = spots.map((_, i) => better(spots, i, levels[i]));
    return fit(spots, width, height);
}

/* Where i and the others would like it to stand, on average. */
function better(spots, i, levels) {
    let { x, y } = spots[i];
    for (const [j, other] of spots.entries()) {
        if (j === i)
            continue;
        const dx = spots[i].x - other.x, dy = spots[i].y - other.y;
        const wanted = neutral * (1 - pull * levels[j]) / (Math.hypot(dx, dy) || 1);
        x += other.x + dx * wanted;
        y += other.y + dy * wanted;
    }
    return { x: x / spots.length, y: y / spots.length };
}

function fit(spots, width, height) {
    const range = (values) => [Math.min(...values), Math.max(...values)];
    const [left, right] = range(spots.map(({ x }) => x));
    const [top, bottom] = range(spots.map(({ y }) => y));
    const room = { x: width - 2 * margin.x, y: height - margin.top - margin.bottom };
    const scale = Math.min(1, room.x / (right - left || 1), room.y / (bottom - top || 1));
    return spots.map(({ x, y }) => ({ x: width / 2 + (x - (left + right) / 2) * scale,
                                      y: margin.top + room.y / 2 + (y - (top + bottom) / 2) * scale }));
}
