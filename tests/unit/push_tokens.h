/* push_tokens - keys and tokens made by another implementation (the crypto module of Node)
 *
 * Every token has the claims {"sub":"anna","info":{"a":1}}. The private keys were thrown away.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PUSH_TOKENS_H
#define TESTS_PUSH_TOKENS_H

static const char node_secret[] =
    "a shared secret of thirty-two bytes or more";

static const char node_hs256[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.XwoRhYE"
    "UOZ7uo0ZoqA0kQ6JOe2509hY5ci__NuTTZNs";

static const char node_hs384[] =
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.5DgakDt"
    "bxQw3BCMI8bE1nsnXk5cmc-04cysS1Zo9AfMN_NqjtZvlZeO_-m4FScKd";

static const char node_hs512[] =
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.b9sZ_ma"
    "DpAn09GNyFFKTedofX8qLfVp8fDx7CJfnEH3hovfXdkSxECqqP46udXWUT8KafKuP2ZKekuHheNIfiQ";

static const char node_rsa_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnGU5n8cDmkxKZqN7F1S6\n"
    "gn1YUHyifqWi1eitPc/SlmnB/Luh3RewBZAw0ynuhU7fGJBZ7FLJctsq0ksZwjcB\n"
    "PgRV3XIePlQtqSkqxsPOSvi8PihTNCC4Ho9j8MzkjNZZaa0/Q5mjUV2jOES3zKvV\n"
    "t+A/I1vpbJqpoxUVS+mwWmQhdtv+Oy1RLIFkjR/My9ZMa90GNkCbf73C7AW72jiC\n"
    "hMfb0M6R9c7e2ZIfpjTUgYvvDrNmsbCf3jX4akINgfGyLsnpr5RAqELtc95lyYgx\n"
    "hExFU/LmtA60VWChqxBMBk+JjKmIjnSSno60a9k8sxZj2BTXvv6AZrMG69GqsoF2\n"
    "SwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const char node_rs256[] =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.De17E3M"
    "EI-sG9pYMGw7c0MMlZn0amHzPy0AAlzBcSSjPr6Qi2ORd8I6C0xQDH7uIkZbZ0EA23753A3YKCcqI5b3lQzy"
    "ckrKkwJaLPpNRrfIaYlwBencYXNbDE8BtS7RPrYj2_HFGi66xjOqrmhx0PoQnOXoGc-ukxibnYC3jPhs3Di8"
    "WWtwMX-YiupUVduR8n5MuSrQtNUqUn1d5zGN9Kt3CV6f4d9B70MG0iqzHk-b9olWMilJFO-02P0hth09eRbI"
    "00LRvA0pnumkQehfVWU71oca08GVUjBfe2h4XXZu7NBkU4qrsnMkGKmUyLCJbodvJLDESZK0jXvU_AuvAlg";

static const char node_rs384[] =
    "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.dScV_XZ"
    "ik8ZlZncPFqOnRcrbdEmvFgFIERi8GqV1EW_PnQ10DoQiOP5QrpT6hRtdkBagzqF_GlKI8sQkKFMrbK0acms"
    "SR6UPmGSfdOQe4lCZspuYc-n5pMqhflQ5p9p0crFEB-sYzeTdp68_lj_QqL8QTt9cvUAvzrWcHZtVh5eLCz_"
    "rkX6TJPGegAf-4TKIao50D5-tcn3ToVYfNuiIXwmph3Eji3B-ENEZKPxzo_k4n7woJapAFyxgTf8DymPMvmR"
    "VSrLF9Pa56HWD9S5y6MWrkDR-BpV23p8widMj5s6lq8FTuHOGzRIPnOO4pL8kfy0kUN0xxnK_30dwpp1lVg";

static const char node_rs512[] =
    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI6eyJhIjoxfX0.MS7RKot"
    "2cKKbPnA_3FzZJh9-Z-FfD3Jidp1SPxO6QSfRB9-Q_J2ux-LoFPwzOJrcVf1qGwbt70KSm7p6FLTbL1xXBi2"
    "0qOykgezWqGQbvB-yhbWWzdYcVIrP8nUED_12CExOruC2bWcHxzJ7VjPysRiLF6FRIS5Sbc3E6Z0pplQPECI"
    "BX4MK4YYLkOy2ZHG4-mWQn4SxdMyXHAMS3kSZXAiylVuDWEqUKUoPb4-HP46aCJqW5TVxh67viVnbsiIf0uk"
    "CVu5DEFQa4YDFc5tb5hEd1qSKU2w4C5Db8bZOqT9h9YmLyIQz2cs5nSa4vbX84EMC6vN9BRQFeCxNlbNTdg";

static const char node_rs256_kid[] =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYS0xIn0.eyJzdWIiOiJhbm5hIiwiaW5mbyI6"
    "eyJhIjoxfX0.J_qvGMhCm0TlIFlA-DO_jsNdNvAT9DHtk2UFFfCQCJXHBdmxluJJ2d9_Dh3-ibqN0slx6xAO"
    "bdOTAIV-Zw4qORuJf7m2b9CWSl8ndrscGgVYo4HSWcMpmO4eYBivQSVC8ariST6__BVCCRj8GB1YiwtqgLLu"
    "Xhts64RHMFPid34-xUzVuVj1jc9ctyCGXVGMTLUoVWEhkJFvqiOf8J3RY0i0TLXKbRa2OEBzcnpvTyEB0rYk"
    "FWs4pch-bqx97QSq3a1Mip_FVxyM_niFgTyUFEpH92DmfbTaY5CjtCj1FESxTb77zylNMrHzRSy_oSn3o3ZG"
    "vukShZ8qJrm4zF3-Qg";

static const char node_es256_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfLhSzt5iZQ3uj041da/9PFSzheO1\n"
    "2e2gPnYV0W2xUBR4tIxNOTZZ3+rpq+Pui6+Yki1kxqb2GRT2eN6GRSgaVw==\n"
    "-----END PUBLIC KEY-----\n";

static const char node_es256[] =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTI1NiJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI"
    "6eyJhIjoxfX0.IGgWq3u2zmNAx8Ve5puWglRjFVWSbWQc1eJjoLfhWYGf6Igrj3VbwZA_EEPUMhuujBW-ej3"
    "VMq_xo_Wy7FiQWg";

static const char node_es384_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEJIgHN+MvPns0zQsehbH7aE1RmTb2Scot\n"
    "NFACoU7tM4Dre7Gp4RgP6jcazZ6QNekuR8xg1MNxc33RoHElfgwem+gCtiVz+vbW\n"
    "PfRovXsP8xT3ltwBoBTreEWpk260pObP\n"
    "-----END PUBLIC KEY-----\n";

static const char node_es384[] =
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTM4NCJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI"
    "6eyJhIjoxfX0.SX0Lww5TrkSnLZM3Aj0hq47R3UakLanhl1BySNRBetK_Us9zkx7yLrGaxztrJiI9BCNvgES"
    "a-fns0SBbl31Cux1vAZDuWHKpFnEEQVlf9manqn5Aq2IBY0iJ09Gnx1D7";

static const char node_es512_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAq7c54OhxnDbYMTgLl2WzKdF8sOg7\n"
    "ZvNfFnQAHm9wRd7yvtei2Qsw6OqCo5vAkq1SWUhWMEl+rmZ2XVqQboUO5csAKHTr\n"
    "9IE2BrWXE+8pYhZ0D+a7572iZqBn5MOJuyQNSGznSxz/g7nc5sYLLIVhnlOsnArI\n"
    "FwTsp44T+5g3Gc4SlEg=\n"
    "-----END PUBLIC KEY-----\n";

static const char node_es512[] =
    "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTUxMiJ9.eyJzdWIiOiJhbm5hIiwiaW5mbyI"
    "6eyJhIjoxfX0.ANUQyvOf8idBfCZgVpfjuxD3Ny1Im-GB7rUz-Y8OmDBIT0s6vsS7QlPBJjUtqJM_1YfuVKH"
    "RY1udOo5B1tIBKg4oAbJAodFKj7Q2WJY9mTwty6Uosjr2fdJ2kTwZpzswPzH923m5F1L4bLvAQxJM91ZONew"
    "rW-9HA2KJOX-8Qc23pedE";

static const char node_ed_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAdPD2DO77JmwUtze9sMaWyMsI3HEAm3DXg1+1SVA6Nh8=\n"
    "-----END PUBLIC KEY-----\n";

static const char node_eddsa[] =
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkLTEifQ.eyJzdWIiOiJhbm5hIiwiaW5mbyI6e"
    "yJhIjoxfX0.PDXVXO5i8VN3-uPZ5iKxxv5nlvPsWaTtnxktt_a5S1UpLVRTKu4mKO-7DLM6lGkJwdR7mR8MJ"
    "PZnXbt-bsI4BA";

static const char node_jwks[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"nGU5n8cDmkxKZqN7F1S6gn1YUHyifqWi1eitPc_SlmnB_Luh3RewBZAw0"
    "ynuhU7fGJBZ7FLJctsq0ksZwjcBPgRV3XIePlQtqSkqxsPOSvi8PihTNCC4Ho9j8MzkjNZZaa0_Q5mjUV2jO"
    "ES3zKvVt-A_I1vpbJqpoxUVS-mwWmQhdtv-Oy1RLIFkjR_My9ZMa90GNkCbf73C7AW72jiChMfb0M6R9c7e2"
    "ZIfpjTUgYvvDrNmsbCf3jX4akINgfGyLsnpr5RAqELtc95lyYgxhExFU_LmtA60VWChqxBMBk-JjKmIjnSSn"
    "o60a9k8sxZj2BTXvv6AZrMG69GqsoF2Sw\",\"e\":\"AQAB\",\"kid\":\"rsa-1\",\"use\":\"sig\"},{\"kty\":\"EC\""
    ",\"x\":\"fLhSzt5iZQ3uj041da_9PFSzheO12e2gPnYV0W2xUBQ\",\"y\":\"eLSMTTk2Wd_q6avj7ouvmJItZMam"
    "9hkU9njehkUoGlc\",\"crv\":\"P-256\",\"kid\":\"ec-256\",\"use\":\"sig\"},{\"kty\":\"EC\",\"x\":\"JIgHN-Mv"
    "Pns0zQsehbH7aE1RmTb2ScotNFACoU7tM4Dre7Gp4RgP6jcazZ6QNeku\",\"y\":\"R8xg1MNxc33RoHElfgwem"
    "-gCtiVz-vbWPfRovXsP8xT3ltwBoBTreEWpk260pObP\",\"crv\":\"P-384\",\"kid\":\"ec-384\",\"use\":\"sig"
    "\"},{\"kty\":\"EC\",\"x\":\"AKu3OeDocZw22DE4C5dlsynRfLDoO2bzXxZ0AB5vcEXe8r7XotkLMOjqgqObwJKt"
    "UllIVjBJfq5mdl1akG6FDuXL\",\"y\":\"ACh06_SBNga1lxPvKWIWdA_mu-e9omagZ-TDibskDUhs50sc_4O53"
    "ObGCyyFYZ5TrJwKyBcE7KeOE_uYNxnOEpRI\",\"crv\":\"P-521\",\"kid\":\"ec-512\",\"use\":\"sig\"},{\"crv"
    "\":\"Ed25519\",\"x\":\"dPD2DO77JmwUtze9sMaWyMsI3HEAm3DXg1-1SVA6Nh8\",\"kty\":\"OKP\",\"kid\":\"ed-"
    "1\",\"use\":\"sig\"}]}";

#endif
