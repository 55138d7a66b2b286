-- connected components of 1,000,000 pairs of ids scattered over 64 bits, in 32 MB: 26 bytes a node
-- count: 1000000 pairs
-- repeats: 3
SET maintenance_work_mem = '32MB';
SELECT count(*), sum(component) FROM o2o.connected_components('SELECT a, b FROM pair_scattered');
RESET maintenance_work_mem;
