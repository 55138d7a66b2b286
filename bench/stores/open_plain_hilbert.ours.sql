-- the 10 nearest of 1,000,000 that are open at nine and have a service (a quarter), rows along a Hilbert curve
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM store_hilbert s WHERE s.opens <= 9 AND s.closes > 9 AND s.services & 4 <> 0 ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 10) near;
