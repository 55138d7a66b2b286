-- building the index on 1,000,000 positions, SP-GiST, rows in random order
-- count: 1000000 rows
-- repeats: 3
CREATE INDEX built ON store_random USING spgist (pos);
DROP INDEX built;
