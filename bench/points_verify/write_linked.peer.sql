-- the same without a chain
-- count: 10000 postings
SELECT batch((SELECT array_agg(p.plain ORDER BY p.n) FROM twin p WHERE p.n <= 1000), o2o.points_system_account_id('plain', 'issuer'), r) FROM generate_series(1, 10) r;
