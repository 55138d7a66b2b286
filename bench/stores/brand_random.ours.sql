-- the 10 nearest of one brand of 75 among 1,000,000, index on (brand, position), rows in random order
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM branded_random s WHERE s.brand = asked.brand ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 10) near;
