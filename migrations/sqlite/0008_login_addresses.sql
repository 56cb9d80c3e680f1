-- Addresses of the network from which an account signed in: they have tries of their own, so that others cannot use up its owner's.
CREATE TABLE login_address (
    account TEXT NOT NULL,                       -- hash of the address of mail
    address TEXT NOT NULL,                       -- of the network
    last_at INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT;
CREATE INDEX login_address_by_age ON login_address (last_at);
