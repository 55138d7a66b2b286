-- the 10 nearest within 5 km of 1,000,000, rows along a Hilbert curve, exact on the ellipsoid
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m FROM store_hilbert s
	WHERE o2o.geo_dwithin(s.pos, asked.pos, 5000) ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 10) near;
