/* main - puts the page of event chats together: two sides, two people
 *
 * The address says who they are: ?left=1&right=2. Where it does not, a demo's first two.
 *
 * SPDX-License-Identifier: MIT
 */
import { demoPeople, hideTokens, takeBearer } from '../../js/bearer.js';
import { Pane } from './pane.js';

const at = (id) => document.getElementById(id);
const stage = document.querySelector('.stage');
const sides = ['left', 'right'];
const noticeFor = 6000;

let asked = null;
const people = () => asked ??= demoPeople();
let noticeTimer = 0;

const page = {
    base: new URL('v1/', location.origin + location.pathname).href,
    people,
    notice(text) {
        at('notice').textContent = text;
        at('notice').hidden = false;
        clearTimeout(noticeTimer);
        noticeTimer = setTimeout(() => { at('notice').hidden = true; }, noticeFor);
    },
    /* On a phone only one side is seen; its switch tells of the other one. */
    changed() {
        for (const button of document.querySelectorAll('.side-switch')) {
            const { name, chat } = panes[button.dataset.side];
            const text = chat?.unread ? `${name} (${chat.unread})` : name;
            if (button.textContent !== text)
                button.textContent = text;
            button.setAttribute('aria-pressed', String(stage.dataset.side === button.dataset.side));
        }
    },
    /* Nobody is told of new events, so the other side asks. */
    madeMeeting() {
        for (const { chat } of Object.values(panes))
            chat?.readMeetings();
    },
};

const panes = Object.fromEntries(sides.map((side) => [side, new Pane(at(side), side, page)]));
const everyChat = (does) => Object.values(panes).forEach(({ chat }) => chat && does(chat));

for (const button of document.querySelectorAll('.side-switch'))
    button.onclick = () => {
        stage.dataset.side = button.dataset.side;
        page.changed();
    };
window.addEventListener('online', () => everyChat((chat) => chat.wake()));
document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible')
        everyChat((chat) => { chat.wake(); chat.look(); });
});

const bearers = await Promise.all(sides.map((side) => takeBearer(side, side, people)));
hideTokens();
if (!bearers.some(Boolean) && !/[?&](left|right)=/.test(location.search))
    (await people()).slice(0, 2).forEach((one, i) => { bearers[i] = one; });
sides.forEach((side, i) => bearers[i] ? panes[side].start(bearers[i]) : panes[side].showDoor());
