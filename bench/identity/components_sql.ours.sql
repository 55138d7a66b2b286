-- connected components of 200,000 pairs
-- count: 200000 pairs
-- repeats: 3
SELECT count(*), sum(component) FROM o2o.connected_components(
	(SELECT array_agg(a) FROM pair_small), (SELECT array_agg(b) FROM pair_small));
