/* photos - pictures that only the bearer of a token gets
 *
 * An <img> cannot bring a token, so the bytes are fetched and shown as a data: URL, each once.
 *
 * SPDX-License-Identifier: MIT
 */
import { h } from '../../js/dom.js';

export class Photos {
    #fetch;
    #known = new Map();         /* reference -> promise of a data: URL */

    /* fetch(reference): a promise of a Blob */
    constructor(fetch) {
        this.#fetch = fetch;
    }

    /* An element that shows it when it has come, or says that it is not there. */
    element(uuid, onLoaded = () => {}) {
        const image = h('img', { alt: 'Photo' });
        this.#url(uuid).then((url) => {
            image.addEventListener('load', onLoaded, { once: true });
            image.src = url;
        }, () => image.replaceWith(h('span', { class: 'lost' }, 'A photo that is not here')));
        return image;
    }

    #url(uuid) {
        if (!this.#known.has(uuid)) {
            const url = this.#fetch(uuid).then(dataUrl);
            url.catch(() => this.#known.delete(uuid));
            this.#known.set(uuid, url);
        }
        return this.#known.get(uuid);
    }
}

function dataUrl(blob) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
    });
}
