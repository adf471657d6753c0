/* config_rules - how credentials of each system are judged under the settings
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/config.h"

#define ROOMS_LEEWAY_S 2            /* their issuer's clock is this one */
#define USERS_LEEWAY_S 30           /* of conversations and event chats */

struct token_rules
config_rooms_rules(const struct config *c)
{
    return (struct token_rules){
        .secrets = c->rooms_keys,
        .user_claim = "sub",
        .check_times = true,
        .require_expiry = true,
        .leeway_s = ROOMS_LEEWAY_S,
        .audience = ROOMS_AUDIENCE,
    };
}

struct token_rules
config_token_rules(const struct config *c)
{
    return (struct token_rules){
        .secrets = c->jwt_keys,
        .user_claim = c->jwt_user_id_claim,
        .check_times = c->jwt_check_exp,
        .leeway_s = c->jwt_leeway_s,
        .audience = c->jwt_audience[0] != '\0' ? c->jwt_audience : NULL,
    };
}

static struct token_rules
users_rules(const struct config *c)
{
    return (struct token_rules){
        .secrets = c->jwt_keys,
        .user_claim = "sub",
        .second_claim = "user_id",
        .integer_user = true,
        .profile = true,
        .check_times = true,
        .leeway_s = USERS_LEEWAY_S,
    };
}

struct token_rules
config_conversations_rules(const struct config *c)
{
    struct token_rules rules = users_rules(c);

    rules.picture_claim = "avatar";
    rules.picture_url = true;
    return rules;
}

struct token_rules
config_eventchat_rules(const struct config *c)
{
    struct token_rules rules = users_rules(c);

    rules.picture_claim = "imageUUID";
    return rules;
}

struct vk_rules
config_vk_rules(const struct config *c)
{
    return (struct vk_rules){
        .secret = c->vk_app_secret[0] != '\0' ? c->vk_app_secret : NULL,
        .app_id = c->vk_app_id[0] != '\0' ? c->vk_app_id : NULL,
        .ttl_s = c->vk_ttl,
    };
}
