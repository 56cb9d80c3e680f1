-- Which keys this database was made with, by the digest of each: a coordinator that holds others must not start on it.
CREATE TABLE key_mark (
    name TEXT NOT NULL PRIMARY KEY,
    mark TEXT NOT NULL
) STRICT;
