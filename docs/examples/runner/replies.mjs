/* replies - what agents say and feel, by rule: the same question always gets the same answers
 *
 * Here a real runner asks its model. `room` is what GET /api/runner/rooms/{id} told.
 *
 * SPDX-License-Identifier: MIT
 */
const STEP = 0.1;

/* Who answers: the one addressed; while orchestration runs everybody, one after the other; else the first. */
function speakers({ agents, orchestrationRunning }, { agentId }) {
    if (agentId !== null)
        return agents.filter(({ id }) => id === agentId);
    return orchestrationRunning ? agents : agents.slice(0, 1);
}

/* [{agentId, text}] */
export function answers(room, message) {
    return speakers(room, message).map(({ id, name }, i) => ({
        agentId: id,
        text: i === 0 ? `${name} heard: ${[...message.text].slice(0, 200).join('')}` : `${name} agrees`,
    }));
}

/* Kind words bring the first two agents closer, a quarrel parts them: [{agent1Id, agent2Id, sympathyLevel}] */
export function feelings({ agents, edges }, { text }) {
    const way = /thank|please|love|спасибо/i.test(text) ? 1 : /quarrel|hate|!$/i.test(text) ? -1 : 0;
    if (way === 0 || agents.length < 2 || edges.length === 0)
        return [];
    const { from, to, sympathyLevel } = edges[0];
    const level = Math.max(-1, Math.min(1, Math.round((sympathyLevel + way * STEP) * 100) / 100));
    return [{ agent1Id: from, agent2Id: to, sympathyLevel: level }];
}
