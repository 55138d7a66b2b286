-- sum(bigint) of whole cents
SELECT sum(cents) FROM amount;
