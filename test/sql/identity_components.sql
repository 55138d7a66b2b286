-- Connected components: small graphs by eye, a large one against a recursive query.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;

SELECT * FROM o2o.connected_components('{5,3,9,7}', '{3,1,9,8}');
-- Two components that meet late; repeated and reversed pairs; the lowest id comes last.
SELECT * FROM o2o.connected_components('{4,2,4,9,9,1}', '{2,4,2,8,4,8}');
-- The ends of bigint, zero, negative ids.
SELECT * FROM o2o.connected_components('{9223372036854775807,0,-5}', '{-9223372036854775808,-5,-5}');
-- No pairs.
SELECT * FROM o2o.connected_components('{}', '{}');
SELECT * FROM o2o.connected_components(NULL, '{1}');
-- The lower bound of an array does not matter.
SELECT * FROM o2o.connected_components('[5:6]={1,2}', '[0:1]={2,3}');

-- Errors.
SELECT * FROM o2o.connected_components('{1,2}', '{3}');
SELECT * FROM o2o.connected_components('{1,NULL}', '{3,4}');
SELECT * FROM o2o.connected_components('{1,2}', '{NULL,4}');
SELECT * FROM o2o.connected_components('{{1,2}}', '{3,4}');
SELECT * FROM o2o.connected_components('{1,2}', '{{3,4}}');
-- A NULL that was taken away leaves no trace.
SELECT * FROM o2o.connected_components(array_remove('{1,NULL}'::bigint[], NULL), ('{2,NULL}'::bigint[])[1:1]);

-- A random graph against its definition. Sparse, so that there are many components.
CREATE TEMP TABLE edge AS
SELECT (hashint8extended(i, 1) & 2047) * 1000003 - 1000000000 AS a, (hashint8extended(i, 2) & 2047) * 1000003 - 1000000000 AS b
FROM generate_series(1, 1000) i;
CREATE TEMP TABLE found AS
SELECT c.* FROM (SELECT array_agg(a) AS a, array_agg(b) AS b FROM edge) e, o2o.connected_components(e.a, e.b) c;
CREATE TEMP TABLE expected AS
WITH RECURSIVE link AS (SELECT a, b FROM edge UNION SELECT b, a FROM edge UNION SELECT a, a FROM edge UNION SELECT b, b FROM edge),
reach AS (SELECT a AS node, b AS other FROM link UNION SELECT r.node, l.b FROM reach r JOIN link l ON l.a = r.other)
SELECT node, min(other) AS component FROM reach GROUP BY node;
SELECT count(*) AS differing FROM ((TABLE found EXCEPT ALL TABLE expected) UNION ALL (TABLE expected EXCEPT ALL TABLE found)) d;
SELECT count(*) > 1000 AS nodes, count(DISTINCT component) > 200 AS components, max(n) > 20 AS has_large
FROM (SELECT component, count(*) OVER (PARTITION BY component) AS n FROM found) f;
-- The order of the pairs, and which side a node stands on, do not matter.
SELECT count(*) AS differing FROM (
	SELECT c.* FROM (SELECT array_agg(b ORDER BY hashint8(a), b) AS b, array_agg(a ORDER BY hashint8(a), b) AS a FROM edge) e, o2o.connected_components(e.b, e.a) c
	EXCEPT TABLE expected) d;

-- Rows come sorted by component and node.
SELECT count(*) AS rows, count(*) FILTER (WHERE (c.component, c.node) <= (c.before_component, c.before_node)) AS out_of_order
FROM (SELECT node, component, lag(component) OVER (ORDER BY n) AS before_component, lag(node) OVER (ORDER BY n) AS before_node
	FROM (SELECT array_agg(a) AS a, array_agg(b) AS b FROM edge) e, o2o.connected_components(e.a, e.b) WITH ORDINALITY c(node, component, n)) c;

-- Long chains, both ways and from both ends, and a star: one component each.
SELECT count(*), min(component), max(component) FROM (SELECT array_agg(i) AS a, array_agg(i + 1) AS b FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.b);
SELECT count(*), min(component), max(component) FROM (SELECT array_agg(i ORDER BY i DESC) AS a, array_agg(i + 1 ORDER BY i DESC) AS b FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.b);
SELECT count(*), min(component), max(component) FROM (SELECT array_agg(i) AS a, array_agg(200001 - i) AS b FROM generate_series(1::bigint, 200000) i) e, o2o.connected_components(e.a || e.a[2:], e.b || e.a[:199999]);
SELECT count(*), min(component), max(component) FROM (SELECT array_agg(i) AS a, array_agg(500000::bigint) AS b FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.b);

-- Scattered ids in small memory: the graph changes from pages to a hash on the way. Against the dense ids they were made of.
SET maintenance_work_mem = '4MB';
CREATE TEMP TABLE dense AS SELECT i AS n, hashint8extended(i, 1) & 32767 AS a, hashint8extended(i, 2) & 32767 AS b FROM generate_series(1, 20000) i;
SELECT count(*) AS differing FROM (
	SELECT hashint8extended(c.node, 7) AS node, min(hashint8extended(c.node, 7)) OVER (PARTITION BY c.component) AS component
	FROM o2o.connected_components('SELECT a, b FROM dense') c
	EXCEPT
	SELECT c.node, c.component
	FROM (SELECT array_agg(hashint8extended(a, 7) ORDER BY n) AS a, array_agg(hashint8extended(b, 7) ORDER BY n) AS b FROM dense) e, o2o.connected_components(e.a, e.b) c) d;
SELECT count(*) = count(DISTINCT c.node) AS once, count(*) FILTER (WHERE (c.component, c.node) <= (c.before_component, c.before_node)) AS out_of_order
FROM (
	SELECT c.*, lag(c.component) OVER (ORDER BY c.ordinality) AS before_component, lag(c.node) OVER (ORDER BY c.ordinality) AS before_node
	FROM o2o.connected_components('SELECT hashint8extended(a, 7), hashint8extended(b, 7) FROM dense') WITH ORDINALITY c
) c;

-- Memory is bounded by maintenance_work_mem, less of it being needed where ids are dense.
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM (SELECT array_agg(i) AS a FROM generate_series(1::bigint, 40000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM (SELECT array_agg(i) AS a FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM (SELECT array_agg(i) AS a FROM generate_series(1::bigint, 200000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM (SELECT array_agg(i * 1000003) AS a FROM generate_series(1::bigint, 20000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM (SELECT array_agg(i * 1000003) AS a FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM (SELECT array_agg(i % 1000) AS a FROM generate_series(1::bigint, 100000) i) e, o2o.connected_components(e.a, e.a);
SELECT count(*) FROM o2o.identifier_components('SELECT (''card:'' || i)::o2o.identifier, (''card:'' || i)::o2o.identifier FROM generate_series(1, 100000) i');
RESET maintenance_work_mem;

-- The pairs of a query: any integer type, read-only, with the caller's rights.
SELECT * FROM o2o.connected_components('SELECT a, b FROM (VALUES (5, 3::smallint), (9, 9)) v (a, b)');
SELECT * FROM o2o.connected_components('SELECT 1::bigint, 2::bigint WHERE false');
SELECT * FROM o2o.connected_components(NULL);
SELECT count(*) AS differing FROM ((SELECT * FROM o2o.connected_components('SELECT a, b FROM edge') EXCEPT ALL TABLE expected)
	UNION ALL (TABLE expected EXCEPT ALL SELECT * FROM o2o.connected_components('SELECT b, a FROM edge'))) d;
SELECT * FROM o2o.connected_components('SELECT 1');
SELECT * FROM o2o.connected_components('SELECT 1, 2.5 AS half');
SELECT * FROM o2o.connected_components('SELECT 1, NULL::integer');
SELECT * FROM o2o.connected_components('DELETE FROM edge RETURNING a, b');
SELECT * FROM o2o.connected_components('ANALYZE edge');
SELECT * FROM o2o.connected_components('nonsense');
SELECT * FROM o2o.connected_components('SELECT i, CASE i WHEN 5000 THEN pg_cancel_backend(pg_backend_pid())::integer ELSE 0 END FROM generate_series(1, 100000) i');

-- Identifiers: the same components, the lowest one first.
SELECT * FROM o2o.identifier_components('SELECT a::o2o.identifier, b::o2o.identifier FROM (VALUES
	(''phone:+8613800138000'', ''unionid:oX1''), (''card:9'', ''card:9''), (''unionid:oX1'', ''card:88001''), (''email:ann@shop.cn'', ''card:88''), (''card:88001'', ''card:8'')) v (a, b)');
CREATE TEMP TABLE named AS SELECT a, b, ('card:' || a + 2000000000)::o2o.identifier AS x, ('card:' || b + 2000000000)::o2o.identifier AS y FROM edge;
SELECT count(*) AS differing FROM (
	SELECT c.node, min(c.node::text COLLATE "C") OVER (PARTITION BY c.component) AS component, c.component::text AS lowest
	FROM o2o.identifier_components('SELECT x, y FROM named') c
	EXCEPT
	SELECT ('card:' || e.node + 2000000000)::o2o.identifier, min(('card:' || e.node + 2000000000) COLLATE "C") OVER (PARTITION BY e.component), min(('card:' || e.node + 2000000000) COLLATE "C") OVER (PARTITION BY e.component)
	FROM expected e) d;
SELECT count(*) = (SELECT count(*) FROM expected) AS same_count FROM o2o.identifier_components('SELECT x, y FROM named');
SELECT * FROM o2o.identifier_components('SELECT x, y FROM named WHERE false');
SELECT * FROM o2o.identifier_components('SELECT x, a FROM named');
SELECT * FROM o2o.identifier_components('SELECT x, NULL::o2o.identifier FROM named');

-- SQLSTATEs: unequal length, NULL element, dimensions, memory.
\set VERBOSITY sqlstate
SELECT * FROM o2o.connected_components('{1,2}', '{3}');
SELECT * FROM o2o.connected_components('{1,NULL}', '{3,4}');
SELECT * FROM o2o.connected_components('{{1,2}}', '{3,4}');
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM (SELECT array_agg(i) AS a FROM generate_series(1::bigint, 200000) i) e, o2o.connected_components(e.a, e.a);
RESET maintenance_work_mem;
SELECT * FROM o2o.connected_components('SELECT 1');
SELECT * FROM o2o.connected_components('SELECT 1, NULL::integer');
