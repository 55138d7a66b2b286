-- GROUP BY with sum(bigint)
SELECT account, sum(cents) FROM amount GROUP BY account;
