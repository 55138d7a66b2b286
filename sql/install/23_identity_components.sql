-- Identity: components of a graph.

CREATE FUNCTION o2o.connected_components(a bigint[], b bigint[])
RETURNS TABLE (node bigint, component bigint)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_connected_components';
COMMENT ON FUNCTION o2o.connected_components(bigint[], bigint[]) IS 'Connected components of the undirected graph whose edges are the pairs (a[i], b[i]): one row for each node, component being the lowest id in its component, in the order of component, node. A pair of a node with itself makes a node without neighbours. Union-find in the memory of this process, at most maintenance_work_mem beside the arrays: 8 to 13 bytes a node where ids are dense (runs of neighbouring numbers), 18 to 36 where they are scattered. NULL arrays give no row. Take both arrays from one query, so that they are in one order. Errors: 22004 a NULL element, 2202E more than one dimension or unequal lengths, 53200 more memory than maintenance_work_mem. Reference: Tarjan and van Leeuwen, Worst-case analysis of set union algorithms, JACM 31 (1984).';

CREATE FUNCTION o2o.connected_components(query text)
RETURNS TABLE (node bigint, component bigint)
LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_connected_components_query';
COMMENT ON FUNCTION o2o.connected_components(text) IS 'The same for the pairs of any table: query is a SELECT of two columns of type bigint, integer or smallint, such as ''SELECT a, b FROM pair''. It runs read-only with the caller''s rights, and its rows are not kept. Write a condition that comes from outside with format() and %L. Errors: 22004 a NULL, 42804 not two columns of these types, 53200 more memory than maintenance_work_mem, and those of the query.';

CREATE FUNCTION o2o.identifier_components(query text)
RETURNS TABLE (node o2o.identifier, component o2o.identifier)
LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'o2o_identifier_components';
COMMENT ON FUNCTION o2o.identifier_components(text) IS 'Connected components of identifiers: query is a SELECT of two columns of type identifier, such as ''SELECT card, coalesce(phone, card) FROM member''. It runs read-only with the caller''s rights, and its rows are not kept. One row for each identifier, component being the lowest one in its component; components in the order in which the pairs name them first, identifiers ascending within. Memory: 26 to 52 bytes an identifier and up to twice its text, at most maintenance_work_mem. Errors: 22004 a NULL, 42804 not two columns of this type, 53200 more memory than maintenance_work_mem, and those of the query.';
