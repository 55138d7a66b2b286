-- connected components of 10,000,000 pairs, 12.8 million nodes, in 188 MB: 15.4 bytes a node
-- count: 10000000 pairs
-- repeats: 2
SET maintenance_work_mem = '188MB';
SELECT count(*), sum(component) FROM o2o.connected_components('SELECT a, b FROM pair_ten_million');
RESET maintenance_work_mem;
