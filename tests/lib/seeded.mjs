/* seeded - chance that can be had again
 *
 * SPDX-License-Identifier: MIT
 */

/* pick(n): 0 to n-1. one(list): an element. chance(n): true in one of n cases. */
export function seeded(seed) {
    let state = seed >>> 0;
    const pick = (n) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor(state / 2 ** 32 * n);
    };
    return { pick, one: (list) => list[pick(list.length)], chance: (n) => pick(n) === 0 };
}
