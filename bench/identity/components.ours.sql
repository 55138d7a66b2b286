-- connected components of 1,000,000 pairs, out of a table
-- count: 1000000 pairs
-- repeats: 3
SELECT count(*), sum(component) FROM o2o.connected_components('SELECT a, b FROM pair_million');
