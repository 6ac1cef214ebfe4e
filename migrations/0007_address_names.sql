-- What addresses are called: found in DNS when a page shows them, kept for a while. Public facts, nobody's in particular.

-- A name and a network, until they expire.
CREATE TABLE address_names (
  address TEXT NOT NULL PRIMARY KEY,
  -- Reverse name that leads back to the address; '' where there is none.
  host TEXT NOT NULL,
  -- Number, holder and country of the network that announces it; 0 and '' where not found.
  asn INTEGER NOT NULL,
  holder TEXT NOT NULL,
  country TEXT NOT NULL,
  expires_seconds INTEGER NOT NULL
) WITHOUT ROWID;
