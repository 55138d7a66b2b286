-- points_verify() of a ledger with 300,000 postings: versions, running balances, lots, contra accounts, reserve
-- count: 300000 postings
-- repeats: 3
SELECT * FROM o2o.points_verify();
