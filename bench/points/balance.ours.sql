-- balances of 30,000 accounts over 3,000,000 postings
SELECT account, o2o.sum(points) FROM amount GROUP BY account;
