-- pgRouting pgr_connectedComponents
-- count: 1000000 pairs
SELECT count(*), sum(component) FROM pgr_connectedComponents(
	'SELECT id, a AS source, b AS target, 1::float8 AS cost, 1::float8 AS reverse_cost FROM pair_million');
