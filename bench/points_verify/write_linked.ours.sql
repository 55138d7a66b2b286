-- points_write, batches of 1,000 postings, with the hash chain of their accounts
-- count: 10000 postings
SELECT batch((SELECT array_agg(p.linked ORDER BY p.n) FROM twin p WHERE p.n <= 1000), o2o.points_system_account_id('linked', 'issuer'), r) FROM generate_series(1, 10) r;
