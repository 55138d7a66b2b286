-- the 10 nearest of 1,000,000 stores, rows in random order, by a covering index with id and name
-- count: 10000 searches
SELECT count(near.id), count(near.name), sum(near.m) FROM asked,
LATERAL (SELECT s.id, s.name, s.pos OPERATOR(o2o.<->) asked.pos AS m
	FROM store_covered s ORDER BY s.pos OPERATOR(o2o.<->) asked.pos LIMIT 10) near;
