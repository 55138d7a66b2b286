-- ours: <-> with SP-GiST, LATERAL
-- count: 100000 customers
SELECT count(*), sum(near.id), sum(near.m) FROM (SELECT * FROM customer LIMIT 100000) c,
LATERAL (SELECT s.id, s.pos OPERATOR(o2o.<->) c.pos AS m FROM chain s ORDER BY s.pos OPERATOR(o2o.<->) c.pos LIMIT 1) near;
