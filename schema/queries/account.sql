-- Accounts and their refresh tokens.

-- name: account_insert
INSERT INTO account (email, username, password, created_at)
VALUES (:email, :username, :password, :now)
RETURNING id;

-- name: account_find
SELECT id, email, username, active FROM account WHERE id = :account;

-- name: account_of_email
SELECT id, email, username, active, password FROM account WHERE email = :email;

-- name: account_set_password
UPDATE account SET password = :password WHERE id = :account;

-- name: account_set_active
UPDATE account SET active = :active WHERE id = :account;

-- name: account_delete
DELETE FROM account WHERE id = :account;

-- name: refresh_insert
INSERT INTO refresh_token (hash, account, family, expires_at)
VALUES (:hash, :account, :family, :expires);

-- name: refresh_find
SELECT t.account, t.family, t.used, t.expires_at, a.email, a.username, a.active
FROM refresh_token t JOIN account a ON a.id = t.account
WHERE t.hash = :hash;

-- name: refresh_use
UPDATE refresh_token SET used = 1 WHERE hash = :hash;

-- name: refresh_revoke_family
DELETE FROM refresh_token WHERE family = :family;

-- name: refresh_revoke_account
DELETE FROM refresh_token WHERE account = :account;

-- name: refresh_prune
DELETE FROM refresh_token WHERE hash IN (
    SELECT hash FROM refresh_token WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit);
