-- the 1 nearest of 1,000,000 stores, rows along a Hilbert curve, exact on the ellipsoid
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM store_hilbert s ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 1) near;
