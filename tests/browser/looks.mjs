/* looks - what everybody needs of a page: contrast, and names of what can be used
 *
 * SPDX-License-Identifier: MIT
 */
import assert from 'node:assert/strict';

/* The lowest contrast between text and what lies behind it, among elements of the page. */
const worstContrast = (selector) => {
    const parse = (css) => css.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (e) => {
        const layers = [];
        for (let at = e; at; at = at.parentElement) {
            const [r, g, b, alpha = 1] = parse(getComputedStyle(at).backgroundColor);
            layers.unshift({ rgb: [r, g, b], alpha });
            if (alpha === 1)
                break;
        }
        return layers.reduce((under, { rgb, alpha }) => under.map((v, i) => v + (rgb[i] - v) * alpha), [255, 255, 255]);
    };
    let worst = { ratio: 99 };
    for (const e of document.querySelectorAll(selector)) {
        const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < worst.ratio)
            worst = { ratio, what: e.className || e.id || e.tagName };
    }
    return worst;
};

/* The text of these elements stands out from what lies behind it, as WCAG's level AA wants. */
export async function readable(tab, selector) {
    const worst = await tab.page.evaluate(worstContrast, selector);
    assert.ok(worst.ratio >= 4.5, `contrast ${worst.ratio.toFixed(2)} of ${worst.what}`);
}

/* Whatever can be used has a name, also for those who do not see it. */
export async function named(tab) {
    const nameless = await tab.page.evaluate(() => [...document.querySelectorAll('button, input, select, textarea, summary')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
        .map((e) => e.outerHTML));
    assert.deepEqual(nameless, []);
}
