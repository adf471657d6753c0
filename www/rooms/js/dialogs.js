/* dialogs - what is asked or told in a window of its own: a new room, a new agent, an event, an agent's card
 *
 * SPDX-License-Identifier: MIT
 */
import { closeDialog, field, form, openDialog } from '../../js/dialog.js';
import { avatar, h } from '../../js/dom.js';

const kinds = [['single', 'The agents only answer'], ['circular', 'They can talk in turn'],
    ['narrator', 'A narrator leads'], ['full_context', 'They can talk, knowing everything']];

export function askRoom(create) {
    openDialog('New room', form('Make the room', create,
        field('Name', h('input', { name: 'name', maxlength: 120, required: true, autocomplete: 'off' })),
        field('About (may be empty)', h('textarea', { name: 'description', rows: 2, maxlength: 2000 })),
        field('Who speaks', h('select', { name: 'orchestration_type' }, kinds.map(([value, text]) => h('option', { value }, text))))));
}

export function askEvent(happen) {
    openDialog('Something happens', form('Let it happen', ({ description }) => happen(description),
        field('What', h('textarea', { name: 'description', rows: 3, maxlength: 4000, required: true }))));
}

/* templates: default agents, each with {name, personality_preview}; add({name, character}), addTemplate(template) */
export function askAgent(templates, { add, addTemplate }) {
    const why = h('p', { class: 'refused', role: 'alert', hidden: true });
    const choose = async (template) => {
        try {
            await addTemplate(template);
            closeDialog();
        } catch (error) {
            why.textContent = error.message;
            why.hidden = false;
        }
    };
    openDialog('Add an agent',
        h('ul', { class: 'choices', 'aria-label': 'Ready-made' }, templates.map((template) => h('li', {},
            h('button', { class: 'item', type: 'button', onclick: () => choose(template) }, avatar(template.name, template.name, 'small'),
                h('span', { class: 'item-main' }, h('span', { class: 'item-title' }, template.name),
                    h('span', { class: 'item-last' }, template.personality_preview)))))),
        why,
        h('h3', {}, 'Or one of your own'),
        form('Add', add,
            field('Name', h('input', { name: 'name', maxlength: 80, required: true, autocomplete: 'off' })),
            field('Character', h('textarea', { name: 'character', rows: 3, maxlength: 8000 }))));
}

/* agent: AgentFull */
export function showAgent(agent, { write, remove }) {
    const list = (title, rows) => rows.length > 0 && [h('h3', {}, title), h('ul', {}, rows.map((row) => h('li', {}, row)))];
    const removing = h('button', { class: 'plain danger', type: 'button' }, 'Remove from the room');
    let sure = false;
    removing.addEventListener('click', () => {
        if (sure)
            return remove();
        sure = true;
        removing.textContent = 'Really remove?';
    });
    openDialog(agent.name, ...[
        h('p', { class: 'list-title' }, `${agent.mood.icon} ${agent.mood.mood}`),
        h('p', { class: 'story' }, agent.character),
        list('Relationships', agent.relationships.map(({ agentName, sympathyLevel }) => `${agentName}: ${sympathyLevel.toFixed(2)}`)),
        list('Memories', agent.keyMemories.map(({ content }) => content)),
        list('Plans', agent.plans.map(({ description, status }) => `${description} (${status.replace('_', ' ')})`)),
        h('div', { class: 'buttons fields' }, h('button', { class: 'primary', type: 'button', onclick: () => write() }, 'Write to'), removing),
    ].flat().filter(Boolean));
}
