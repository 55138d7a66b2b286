-- sum(bigint) of whole cents
-- count: 3000000 rows
SELECT sum(cents) FROM amount;
