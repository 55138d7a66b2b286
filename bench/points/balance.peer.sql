-- GROUP BY with sum(bigint)
-- count: 3000000 rows
SELECT account, sum(cents) FROM amount GROUP BY account;
