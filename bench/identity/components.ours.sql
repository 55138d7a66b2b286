-- connected components of 1,000,000 pairs
-- count: 1000000 pairs
-- repeats: 3
SELECT count(*), sum(component) FROM o2o.connected_components(
	(SELECT array_agg(a) FROM pair_million), (SELECT array_agg(b) FROM pair_million));
