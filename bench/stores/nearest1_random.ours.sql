-- the 1 nearest of 1,000,000 stores, rows in random order, exact on the ellipsoid
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM store_random s ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 1) near;
