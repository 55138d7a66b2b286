-- Identity: components of a graph.

CREATE FUNCTION o2o.connected_components(a bigint[], b bigint[])
RETURNS TABLE (node bigint, component bigint)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_connected_components';
COMMENT ON FUNCTION o2o.connected_components(bigint[], bigint[]) IS 'Connected components of the undirected graph whose edges are the pairs (a[i], b[i]): one row for each node, component being the lowest id in its component, in the order of component, node. A pair of a node with itself makes a node without neighbours. Union-find in the memory of this process, at most maintenance_work_mem (22 to 44 bytes a node). NULL arrays give no row. Errors: 22004 a NULL element, 2202E more than one dimension or unequal lengths, 53200 more memory than maintenance_work_mem. Reference: Tarjan and van Leeuwen, Worst-case analysis of set union algorithms, JACM 31 (1984).';
