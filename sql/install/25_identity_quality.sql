-- Identity: how good a clustering is, against labels and by its own shape.

-- A ratio is NULL where there is nothing to divide by: unknown, not zero.
CREATE FUNCTION o2o.cluster_quality(predicted anyarray, truth anycompatiblearray,
	OUT records bigint, OUT predicted_pairs bigint, OUT true_pairs bigint, OUT common_pairs bigint,
	OUT "precision" double precision, OUT recall double precision, OUT f1 double precision,
	OUT bcubed_precision double precision, OUT bcubed_recall double precision, OUT bcubed_f1 double precision)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF greatest(array_ndims(predicted), array_ndims(truth)) > 1 OR cardinality(predicted) <> cardinality(truth) THEN
		RAISE EXCEPTION USING ERRCODE = '2202E', MESSAGE = 'arrays of clusters must have one dimension and the same length',
			DETAIL = format('The first has %s elements, the second %s.', cardinality(predicted), cardinality(truth));
	END IF;
	WITH record AS (
		SELECT r.p, CASE WHEN r.p IS NULL THEN r.n END AS alone, r.t
		FROM unnest(cluster_quality.predicted, cluster_quality.truth) WITH ORDINALITY AS r (p, t, n) WHERE r.t IS NOT NULL),
	cell AS (SELECT p, alone, t, count(*) AS n FROM record GROUP BY p, alone, t),
	-- Clusters of one size together: whole numbers are added in any order, fractions by size.
	predicted_size AS (
		SELECT n, count(*) AS clusters, sum(squares) AS squares
		FROM (SELECT sum(n) AS n, sum(n * n) AS squares FROM cell GROUP BY p, alone) c GROUP BY n),
	true_size AS (
		SELECT n, count(*) AS clusters, sum(squares) AS squares
		FROM (SELECT sum(n) AS n, sum(n * n) AS squares FROM cell GROUP BY t) c GROUP BY n),
	whole AS (
		SELECT (SELECT coalesce(sum(n), 0) FROM cell) AS records,
			(SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM cell) AS both_pairs,
			p.*, t.*
		FROM (SELECT coalesce(sum(clusters * div(n * (n - 1), 2)), 0) AS p_pairs, sum(squares::double precision / n::double precision ORDER BY n) AS p_share FROM predicted_size) p,
			(SELECT coalesce(sum(clusters * div(n * (n - 1), 2)), 0) AS t_pairs, sum(squares::double precision / n::double precision ORDER BY n) AS t_share FROM true_size) t)
	SELECT w.records, w.p_pairs, w.t_pairs, w.both_pairs,
		w.both_pairs::double precision / nullif(w.p_pairs, 0)::double precision,
		w.both_pairs::double precision / nullif(w.t_pairs, 0)::double precision,
		2 * w.both_pairs::double precision / nullif(w.p_pairs + w.t_pairs, 0)::double precision,
		w.p_share / w.records::double precision, w.t_share / w.records::double precision,
		2 * w.p_share * w.t_share / ((w.p_share + w.t_share) * w.records::double precision)
	INTO records, predicted_pairs, true_pairs, common_pairs, "precision", recall, f1, bcubed_precision, bcubed_recall, bcubed_f1
	FROM whole w;
END $$;
COMMENT ON FUNCTION o2o.cluster_quality(anyarray, anycompatiblearray) IS 'Quality of a clustering against labels. Element i of predicted is the cluster that record i was given (NULL: none, a cluster of its own), element i of truth its label (NULL: unlabelled, left out); any two types. Returns one row: records labelled; pairs of records in one predicted cluster, in one true cluster, in both; pairwise precision = common / predicted, recall = common / true, f1; B-cubed precision and recall, the means over the records of the share of a record''s predicted (true) cluster that is of its true (predicted) cluster, the record itself included, and their harmonic mean. A ratio is NULL where there is nothing to count. Equal inputs give equal bits. Error 2202E: more than one dimension, or unequal lengths. Reference: Bagga and Baldwin, Algorithms for scoring coreference chains, LREC 1998.';

CREATE FUNCTION o2o.pair_quality(a bigint[], b bigint[], record bigint[], truth anyarray,
	OUT predicted_pairs bigint, OUT true_pairs bigint, OUT common_pairs bigint,
	OUT "precision" double precision, OUT recall double precision, OUT f1 double precision)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	labelled bigint;
	distinct_records bigint;
BEGIN
	IF greatest(array_ndims(a), array_ndims(b), array_ndims(record), array_ndims(truth)) > 1 OR cardinality(a) <> cardinality(b) OR cardinality(record) <> cardinality(truth) THEN
		RAISE EXCEPTION USING ERRCODE = '2202E', MESSAGE = 'arrays of pairs and of labels must have one dimension and the same length',
			DETAIL = format('The ends of the pairs have %s and %s elements, records and labels %s and %s.', cardinality(a), cardinality(b), cardinality(record), cardinality(truth));
	END IF;
	WITH label AS MATERIALIZED (
		SELECT r.id, dense_rank() OVER (ORDER BY r.t) AS cluster FROM unnest(pair_quality.record, pair_quality.truth) AS r (id, t) WHERE r.t IS NOT NULL),
	found AS (SELECT DISTINCT least(p.x, p.y) AS x, greatest(p.x, p.y) AS y FROM unnest(pair_quality.a, pair_quality.b) AS p (x, y) WHERE p.x <> p.y),
	size AS (SELECT count(*) AS n FROM label GROUP BY cluster)
	SELECT f.n, t.n, f.common, l.n, l.ids
	INTO predicted_pairs, true_pairs, common_pairs, labelled, distinct_records
	FROM (SELECT count(*) AS n, count(*) FILTER (WHERE x.cluster = y.cluster) AS common
			FROM found JOIN label x ON x.id = found.x JOIN label y ON y.id = found.y) f,
		(SELECT coalesce(sum(n * (n - 1) / 2), 0) AS n FROM size) t,
		(SELECT count(*) AS n, count(DISTINCT id) AS ids FROM label) l;
	IF labelled <> distinct_records THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'labels must name each record once',
			DETAIL = format('%s labels name %s records.', labelled, distinct_records);
	END IF;
	"precision" := common_pairs::double precision / nullif(predicted_pairs, 0);
	recall := common_pairs::double precision / nullif(true_pairs, 0);
	f1 := 2 * common_pairs::double precision / nullif(predicted_pairs + true_pairs, 0);
END $$;
COMMENT ON FUNCTION o2o.pair_quality(bigint[], bigint[], bigint[], anyarray) IS 'Quality of pairs against labels: of links before clustering, or, recall alone, of the candidates that blocking finds. The pairs are (a[i], b[i]), in any order, repeated ones once, a record with itself never; truth[j] is the label of record[j] (NULL: unlabelled). Pairs with an unlabelled record are left out. Returns one row: pairs found, pairs of records with one label, pairs that are both; precision = common / found, recall = common / true, f1; a ratio is NULL where there is nothing to count. Errors: 2202E more than one dimension or unequal lengths, 22023 a record labelled twice or without an id.';

CREATE FUNCTION o2o.cluster_sizes(cluster anyarray) RETURNS TABLE (size bigint, clusters bigint, records bigint)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20 SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.n, count(*), count(*) * c.n
	FROM (SELECT count(*) AS n FROM unnest($1) WITH ORDINALITY AS r (cluster, ordinality)
		GROUP BY r.cluster, CASE WHEN r.cluster IS NULL THEN r.ordinality END) c
	GROUP BY c.n ORDER BY c.n
$$;
COMMENT ON FUNCTION o2o.cluster_sizes(anyarray) IS 'Histogram of cluster sizes. Element i is the cluster of record i (NULL: a cluster of its own). Returns, ascending, each size in records that occurs, the number of clusters of that size, and the number of records in them.';

CREATE FUNCTION o2o.cluster_density(a bigint[], b bigint[]) RETURNS TABLE (component bigint, nodes bigint, pairs bigint, density double precision)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20000 ROWS 10000
BEGIN ATOMIC
	WITH node AS MATERIALIZED (SELECT c.node, c.component FROM o2o.connected_components(a, b) AS c),
	pair AS (SELECT DISTINCT least(p.x, p.y) AS x, greatest(p.x, p.y) AS y FROM unnest(a, b) AS p (x, y) WHERE p.x <> p.y),
	pairs AS (SELECT node.component, count(*) AS n FROM pair JOIN node ON node.node = pair.x GROUP BY node.component)
	SELECT node.component, count(*), coalesce(min(pairs.n), 0), coalesce(min(pairs.n), 0) / nullif(count(*) * (count(*) - 1) / 2, 0)::double precision
	FROM node LEFT JOIN pairs ON pairs.component = node.component
	GROUP BY node.component ORDER BY node.component;
END;
COMMENT ON FUNCTION o2o.cluster_density(bigint[], bigint[]) IS 'Density of the clusters that the pairs (a[i], b[i]) make: for each component, named by its lowest node, the number of its nodes, the number of its distinct pairs, and density = pairs / (nodes * (nodes - 1) / 2), 1 where each node is paired with each other, NULL for a single node. A large component of low density hangs together by few links and may be two. Errors as in connected_components: 22004, 2202E, 53200.';
