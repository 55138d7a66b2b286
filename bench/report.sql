-- The results of one room: a table to read, then the same and every single
-- measure as JSON. bench/run hands over room, machine and repeats.
\pset footer off
SET search_path = public;

CREATE TEMP VIEW result AS
SELECT pair.ordinal, pair.pair, what, peer,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) FILTER (WHERE side = 'ours') AS cpu_ours,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) FILTER (WHERE side = 'peer') AS cpu_peer,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY wall) FILTER (WHERE side = 'ours') AS wall_ours,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY wall) FILTER (WHERE side = 'peer') AS wall_peer
FROM pair JOIN measure USING (pair)
GROUP BY pair.ordinal, pair.pair, what, peer;

SELECT format('%s: medians of %s runs in turns, seconds; a ratio below 1 is ours ahead', :'room', :'repeats');
SELECT :'machine';
SELECT format('PostgreSQL %s, PostGIS %s, O2O %s; fsync on, no parallel workers', current_setting('server_version'),
	(SELECT extversion FROM pg_extension WHERE extname = 'postgis'),
	(SELECT extversion FROM pg_extension WHERE extname = 'O2O'));
SELECT '';
\pset format aligned
\pset tuples_only off
\pset border 0
SELECT what, peer,
	round(cpu_ours::numeric, 4) AS "ours CPU", round(cpu_peer::numeric, 4) AS "peer CPU",
	round((cpu_ours / nullif(cpu_peer, 0))::numeric, 2) AS "ratio CPU",
	round(wall_ours::numeric, 4) AS "ours wall", round(wall_peer::numeric, 4) AS "peer wall",
	round((wall_ours / nullif(wall_peer, 0))::numeric, 2) AS "ratio wall"
FROM result ORDER BY ordinal;
\pset format unaligned
\pset tuples_only on
SELECT jsonb_pretty(jsonb_build_object(
	'room', :'room', 'machine', :'machine', 'repeats', :'repeats'::integer,
	'postgresql', current_setting('server_version'),
	'postgis', (SELECT extversion FROM pg_extension WHERE extname = 'postgis'),
	'o2o', (SELECT extversion FROM pg_extension WHERE extname = 'O2O'),
	'results', (SELECT jsonb_agg(jsonb_build_object(
		'name', pair, 'what', what, 'peer', peer,
		'cpu_s', jsonb_build_object('ours', cpu_ours, 'peer', cpu_peer, 'ratio', cpu_ours / nullif(cpu_peer, 0)),
		'wall_s', jsonb_build_object('ours', wall_ours, 'peer', wall_peer, 'ratio', wall_ours / nullif(wall_peer, 0)),
		'runs', (SELECT jsonb_agg(jsonb_build_object('side', side, 'turn', turn, 'cpu_s', cpu, 'wall_s', wall) ORDER BY turn, side)
			FROM measure m WHERE m.pair = result.pair)) ORDER BY ordinal) FROM result)));
