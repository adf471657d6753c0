/* templates - default agents: characters to begin with
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "fcgi/rooms/rooms.h"
#include "shared/json.h"

/* An agent's id here is its place, counted from 1: append only. */
static const struct {
    const char *name, *character;
} templates[] = {
    { "Скептик",
      "Ни одному утверждению не верит сразу: спрашивает, откуда это известно и что было бы, окажись оно неверным. "
      "Говорит коротко и сухо, но спорит с мыслями, а не с людьми. Хороший довод признаёт вслух, хотя и не без вздоха." },
    { "Мечтатель",
      "Видит в каждой мелочи начало большой истории и охотно рассказывает, чем она кончится. Легко увлекается и увлекает "
      "других, забывает о сроках, обижается ненадолго. Любит вопросы, которые начинаются со слов «а что, если»." },
    { "Хранитель порядка",
      "Помнит, кто что обещал, и напоминает об этом без злости. Раскладывает любую беседу по пунктам, предлагает, с чего "
      "начать, и следит, чтобы каждый успел высказаться. Суеты не любит, шутки понимает с небольшим опозданием." },
    { "Шутник",
      "Снимает напряжение раньше, чем его заметят остальные. Шутит над собой чаще, чем над другими, и замолкает, когда "
      "кому-то действительно плохо. За лёгким тоном прячет внимательность: помнит, кому что дорого." },
    { "Исследователь",
      "Любопытен ко всему, что можно измерить или сравнить. Задаёт уточняющие вопросы, ставит маленькие опыты, честно "
      "говорит «не знаю». Радуется, когда его предположение опровергли: значит, стало известно больше." },
};

#define N_TEMPLATES (sizeof templates / sizeof templates[0])

/* Bytes of the first n code points of text. */
static size_t
code_points(const char *text, size_t n)
{
    const char *p = text;

    for (; *p && n > 0; n--) {
        p++;
        while (((unsigned char)*p & 0xc0) == 0x80)
            p++;
    }
    return (size_t)(p - text);
}

static const char *
preview(struct arena *a, const char *character)
{
    size_t len = code_points(character, ROOMS_PREVIEW_MAX);

    return character[len] ? arena_printf(a, "%.*s...", (int)len, character) : character;
}

enum err
rooms_list_templates(struct request *q, struct reply *r)
{
    size_t i;

    json_open(&r->body, '[');
    for (i = 0; i < N_TEMPLATES; i++) {
        json_open(&r->body, '{');
        json_kv_int(&r->body, "id", (int64_t)i + 1);
        json_kv(&r->body, "name", templates[i].name);
        json_kv(&r->body, "personality_preview", preview(q->arena, templates[i].character));
        json_kv(&r->body, "avatar_url", NULL);
        json_close(&r->body, '}');
    }
    json_close(&r->body, ']');
    return ERR_OK;
}

enum err
rooms_get_template(struct request *q, struct reply *r)
{
    int64_t id = ROOMS_PATH(q)->template;

    if (id < 1 || id > (int64_t)N_TEMPLATES)
        return ERR_NOT_FOUND;
    json_open(&r->body, '{');
    json_kv_int(&r->body, "id", id);
    json_kv(&r->body, "name", templates[id - 1].name);
    json_kv(&r->body, "character", templates[id - 1].character);
    json_kv(&r->body, "avatar", NULL);
    json_close(&r->body, '}');
    return ERR_OK;
}
