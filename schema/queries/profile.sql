-- How users want to be shown.

-- name: profile_get
SELECT name, picture FROM profile WHERE system = :system AND user = :user;

-- NULL leaves what is there.
-- name: profile_set
INSERT INTO profile (system, user, name, picture)
VALUES (:system, :user, coalesce(:name, ''), coalesce(:picture, ''))
ON CONFLICT (system, user) DO UPDATE
SET name = coalesce(:name, name), picture = coalesce(:picture, picture)
RETURNING name, picture;
