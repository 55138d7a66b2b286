-- Quality of clusterings: small ones by hand, a random one against the definitions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.rounded(quality jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(key, CASE WHEN value LIKE '%.%' THEN round(value::numeric, 6)::text ELSE value END) FROM jsonb_each_text(quality)
$$;

-- Records 1 to 6; predicted {1,2,3} {4,5} {6}, true {1,2} {3,4,5} {6}.
-- Pairs: predicted 12 13 23 45, true 12 34 35 45, common 12 45: 2/4 and 2/4.
-- B-cubed precision: (2/3 + 2/3 + 1/3 + 1 + 1 + 1) / 6 = 0.777778; recall: (1 + 1 + 1/3 + 2/3 + 2/3 + 1) / 6 = 0.777778.
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.cluster_quality('{1,1,1,2,2,3}'::bigint[], '{a,a,b,b,b,c}'::text[]) q;
-- All in one: precision 4/15, recall 1; B-cubed precision (2*2 + 3*3 + 1) / 6 / 6 = 0.388889, recall 1.
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.cluster_quality('{9,9,9,9,9,9}'::integer[], '{a,a,b,b,b,c}'::text[]) q;
-- Each alone, written as NULL: no predicted pair, precision unknown; B-cubed precision 1, recall 3/6.
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.cluster_quality('{NULL,NULL,NULL,NULL,NULL,NULL}'::bigint[], '{a,a,b,b,b,c}'::text[]) q;
-- The same; names do not matter.
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.cluster_quality('{7,7,5,5,5,1}'::bigint[], '{a,a,b,b,b,c}'::text[]) q;
-- An unlabelled record is not there.
SELECT a = b AS same FROM o2o.cluster_quality('{1,1,1,2,2,3}'::bigint[], '{a,a,b,b,b,c}'::text[]) a, o2o.cluster_quality('{1,1,1,2,1,2,3,NULL}'::bigint[], '{a,a,b,b,NULL,b,c,NULL}'::text[]) b;
-- Exchange of the two exchanges precision and recall.
SELECT a.precision = b.recall AND a.bcubed_precision = b.bcubed_recall AND a.f1 = b.f1 AND a.bcubed_f1 = b.bcubed_f1 AND a.precision <> a.recall AS exchanged
FROM o2o.cluster_quality('{1,1,1,2,2}'::bigint[], '{1,1,2,3,3}'::bigint[]) a, o2o.cluster_quality('{1,1,2,3,3}'::bigint[], '{1,1,1,2,2}'::bigint[]) b;
SELECT * FROM o2o.cluster_quality('{}'::bigint[], '{}'::text[]);
SELECT * FROM o2o.cluster_quality('{1}'::bigint[], '{NULL}'::text[]);
SELECT * FROM o2o.cluster_quality('{1}'::bigint[], '{a}'::text[]);
SELECT records IS NULL AS nothing FROM o2o.cluster_quality(NULL::bigint[], '{a}'::text[]);
SELECT * FROM o2o.cluster_quality('{1,2}'::bigint[], '{a}'::text[]);
SELECT * FROM o2o.cluster_quality('{{1,2}}'::bigint[], '{a,b}'::text[]);
-- Identifiers are labels, too.
SELECT common_pairs FROM o2o.cluster_quality('{card:1,card:1,card:2}'::o2o.identifier[], '{1,1,1}'::bigint[]);

-- Links: 12 twice, 34, 16, a loop, and two with record 7, which is unlabelled. True pairs 12 34 35 45.
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.pair_quality('{1,2,3,1,6,7,4}', '{2,1,4,6,6,1,7}', '{1,2,3,4,5,6,7}', '{a,a,b,b,b,c,NULL}'::text[]) q;
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.pair_quality('{}', '{}', '{1,2}', '{a,a}'::text[]) q;
SELECT pg_temp.rounded(to_jsonb(q)) FROM o2o.pair_quality('{1}', '{2}', '{}', '{}'::text[]) q;
SELECT * FROM o2o.pair_quality('{1}', '{2,3}', '{1}', '{a}'::text[]);
SELECT * FROM o2o.pair_quality('{1}', '{2}', '{1}', '{a,b}'::text[]);
SELECT * FROM o2o.pair_quality('{1}', '{2}', '{1,1}', '{a,b}'::text[]);
SELECT * FROM o2o.pair_quality('{1}', '{2}', '{1,NULL}', '{a,b}'::text[]);

SELECT * FROM o2o.cluster_sizes('{a,a,b,NULL,c,c,NULL,d}'::text[]);
SELECT * FROM o2o.cluster_sizes('{}'::bigint[]);

-- A triangle, a chain of four, a node alone; repeated and reversed pairs once.
SELECT component, nodes, pairs, round(density::numeric, 4) AS density FROM o2o.cluster_density('{1,2,3,2,10,11,12,20}', '{2,3,1,1,11,12,13,20}');
SELECT * FROM o2o.cluster_density('{1}', '{2,3}');

-- A random clustering, against the definitions pair by pair and record by record.
CREATE TEMP TABLE result AS
SELECT n AS id, CASE WHEN hashint8extended(n, 1) & 7 > 0 THEN hashint8extended(n, 2) & 127 END AS predicted,
	CASE WHEN hashint8extended(n, 3) & 15 > 0 THEN (CASE WHEN hashint8extended(n, 4) & 3 > 0 THEN hashint8extended(n, 2) & 127 ELSE hashint8extended(n, 5) & 63 END)::text END AS truth
FROM generate_series(1, 600) AS n;
CREATE TEMP TABLE labelled AS SELECT id, coalesce(predicted, -id) AS predicted, truth FROM result WHERE truth IS NOT NULL;
WITH q AS (SELECT q.* FROM (SELECT array_agg(predicted) AS p, array_agg(truth) AS t FROM result) r, o2o.cluster_quality(r.p, r.t) q),
pair AS (SELECT count(*) FILTER (WHERE x.predicted = y.predicted) AS p, count(*) FILTER (WHERE x.truth = y.truth) AS t, count(*) FILTER (WHERE x.predicted = y.predicted AND x.truth = y.truth) AS c
	FROM labelled x JOIN labelled y ON x.id < y.id),
member AS (SELECT x.id, count(*) FILTER (WHERE x.predicted = y.predicted AND x.truth = y.truth)::numeric AS c, count(*) FILTER (WHERE x.predicted = y.predicted) AS p, count(*) FILTER (WHERE x.truth = y.truth) AS t
	FROM labelled x CROSS JOIN labelled y GROUP BY x.id),
b AS (SELECT count(*) AS n, avg(c / p) AS p, avg(c / t) AS r FROM member)
SELECT q.records = b.n AS records, (q.predicted_pairs, q.true_pairs, q.common_pairs) = (pair.p, pair.t, pair.c) AS pairs, pair.c > 100 AS enough,
	abs(q.precision - pair.c::numeric / pair.p) < 1e-12 AND abs(q.recall - pair.c::numeric / pair.t) < 1e-12 AND abs(q.f1 - 2 / (1 / q.precision + 1 / q.recall)) < 1e-12 AS pairwise,
	abs(q.bcubed_precision - b.p) < 1e-12 AND abs(q.bcubed_recall - b.r) < 1e-12 AND abs(q.bcubed_f1 - 2 * b.p * b.r / (b.p + b.r)) < 1e-12 AS bcubed
FROM q, pair, b;
-- Any order of the records gives the same bits.
SELECT x = y AS same_bits FROM (SELECT array_agg(predicted ORDER BY id) AS p, array_agg(truth ORDER BY id) AS t, array_agg(predicted ORDER BY truth, id DESC) AS p2, array_agg(truth ORDER BY truth, id DESC) AS t2 FROM result) r,
	o2o.cluster_quality(r.p, r.t) x, o2o.cluster_quality(r.p2, r.t2) y;
-- All pairs of the clusters as links: the same quality.
SELECT (p.predicted_pairs, p.true_pairs, p.common_pairs, p.precision, p.recall, p.f1) = (q.predicted_pairs, q.true_pairs, q.common_pairs, q.precision, q.recall, q.f1) AS same
FROM (SELECT array_agg(id) AS id, array_agg(predicted) AS p, array_agg(truth) AS t FROM result) r,
	(SELECT array_agg(x.id) AS a, array_agg(y.id) AS b FROM result x JOIN result y ON x.predicted = y.predicted) l,
	o2o.cluster_quality(r.p, r.t) q, o2o.pair_quality(l.a, l.b, r.id, r.t) p;
