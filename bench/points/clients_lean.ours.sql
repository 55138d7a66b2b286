-- the same, points_earn one by one from 16 clients
-- count: 32000 calls
-- clients: 16
-- repeats: 3
\set n random(1, 20000)
SELECT o2o.points_earn(:n::bigint, 25, 'club', 'pos/1');
