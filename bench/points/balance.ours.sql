-- balances of 30,000 accounts over 3,000,000 postings
-- count: 3000000 rows
SELECT account, o2o.sum(points) FROM amount GROUP BY account;
