-- Trains on the view record, scores, clusters, twice, and tells how good the answer is. The labels
-- (truth) are read at the very end, to count; columns is what the set's file says they mean. What
-- the server says of the statement after "@run" is the work: training, blocking, scores, clusters.
\set ON_ERROR_STOP on
SET max_parallel_workers_per_gather = 0;
SET search_path = public, o2o;
CREATE TABLE run (n integer, model jsonb);
CREATE TABLE edge (n integer, a bigint, b bigint, weight double precision);
CREATE TABLE cluster (n integer, id bigint, cluster bigint);
CREATE FUNCTION run(n integer, columns jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	-- the second run meets the records in another order
	query text := 'SELECT * FROM record ORDER BY ' || CASE n WHEN 1 THEN 'id' ELSE 'hashint8(id)' END;
	trained jsonb;
BEGIN
	trained := o2o.match_train(query, o2o.match_model_default(columns));
	INSERT INTO cluster SELECT run.n, c.id, c.cluster FROM o2o.match_clusters(query, trained) c;
	INSERT INTO run VALUES (n, trained);
END $$;
CREATE FUNCTION score(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	query text := 'SELECT * FROM record ORDER BY ' || CASE n WHEN 1 THEN 'id' ELSE 'hashint8(id)' END;
	trained jsonb := (SELECT r.model FROM run r WHERE r.n = score.n);
BEGIN
	INSERT INTO edge SELECT score.n, s.a, s.b, s.weight FROM o2o.match_score(query, trained, (trained ->> 'link')::double precision) s;
END $$;
SET log_statement_stats = on;
SET client_min_messages = log;
\warn @run
SELECT run(1, :'columns') \g /dev/null
\warn @done
RESET client_min_messages;
RESET log_statement_stats;
SELECT run(2, :'columns'), score(1), score(2) \g /dev/null
SELECT c.records, (SELECT count(*) FROM o2o.match_candidates('SELECT * FROM record', (SELECT model FROM run WHERE n = 1))) AS candidates,
	round(e.precision::numeric, 4) AS edge_precision, round(e.recall::numeric, 4) AS edge_recall, round(e.f1::numeric, 4) AS edge_f1,
	round(c.precision::numeric, 4) AS precision, round(c.recall::numeric, 4) AS recall, round(c.f1::numeric, 4) AS f1, round(c.bcubed_f1::numeric, 4) AS bcubed_f1,
	CASE WHEN (SELECT x.model = y.model FROM run x, run y WHERE x.n = 1 AND y.n = 2)
		AND NOT EXISTS (SELECT a, b, weight, 1 FROM edge WHERE n = 1 EXCEPT SELECT a, b, weight, 1 FROM edge WHERE n = 2)
		AND NOT EXISTS (SELECT a, b, weight, 1 FROM edge WHERE n = 2 EXCEPT SELECT a, b, weight, 1 FROM edge WHERE n = 1)
		AND NOT EXISTS (SELECT FROM cluster x JOIN cluster y ON y.n = 2 AND y.id = x.id WHERE x.n = 1 AND x.cluster <> y.cluster)
	THEN 'equal' ELSE 'DIFFERENT' END AS rerun
FROM o2o.cluster_quality(ARRAY(SELECT cluster FROM cluster WHERE n = 1 ORDER BY id), ARRAY(SELECT truth FROM record ORDER BY id)) c,
	o2o.pair_quality(ARRAY(SELECT a FROM edge WHERE n = 1 ORDER BY a, b), ARRAY(SELECT b FROM edge WHERE n = 1 ORDER BY a, b), ARRAY(SELECT id FROM record ORDER BY id), ARRAY(SELECT truth FROM record ORDER BY id)) e;
