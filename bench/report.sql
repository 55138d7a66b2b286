-- The results of one room: a text to read, then the same and every single
-- measure as JSON. bench/run hands over room, machine, huge_pages and loads.
\pset footer off
SET search_path = public, pg_catalog;

CREATE TEMP VIEW result AS
SELECT p.ordinal, p.pair, p.what, p.peer, p.unit, p.repeats, m.side, CASE m.side WHEN 'ours' THEN p.ours_count ELSE p.peer_count END AS count,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY m.cpu)::numeric AS cpu,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY m.wall)::numeric AS wall,
	percentile_cont(0.5) WITHIN GROUP (ORDER BY m.p99)::numeric AS p99
FROM pair p JOIN measure m USING (pair)
GROUP BY p.ordinal, p.pair, p.what, p.peer, p.unit, p.repeats, m.side, p.ours_count, p.peer_count;

CREATE TEMP VIEW ratio AS
SELECT o.ordinal, o.cpu / o.count / nullif(p.cpu / p.count, 0) AS cpu, o.wall / o.count / nullif(p.wall / p.count, 0) AS wall,
	o.p99 / nullif(p.p99, 0) AS p99
FROM result o LEFT JOIN result p ON p.ordinal = o.ordinal AND p.side = 'peer'
WHERE o.side = 'ours';

-- Three digits that count.
CREATE FUNCTION pg_temp.digits(value numeric) RETURNS text LANGUAGE sql IMMUTABLE
RETURN coalesce(CASE WHEN value > 0 THEN round(value, greatest(0, 2 - floor(log(value))::integer)) ELSE value END::text, '-');
CREATE FUNCTION pg_temp.extensions() RETURNS jsonb LANGUAGE sql STABLE
RETURN (SELECT jsonb_object_agg(e.extname, e.extversion) FROM pg_extension e WHERE e.extname <> 'plpgsql');

SELECT :'room';
SELECT :'machine' || '; load ' || :'load' || ' at the start, ' || :'load_end' || ' at the end, the bench itself being 1';
SELECT format('PostgreSQL %s, %s; fsync on, no parallel workers, %s', current_setting('server_version'),
	(SELECT string_agg(e.key || ' ' || e.value, ', ' ORDER BY e.key) FROM jsonb_each_text(pg_temp.extensions()) e), :'huge_pages');
SELECT 'Medians of runs in turns. CPU is that of the server process. A ratio, of a unit, below 1 is ours ahead.';
SELECT note FROM note ORDER BY ordinal;
SELECT '';
\pset format aligned
\pset tuples_only off
\pset border 0
SELECT l.label AS "what / who", l.units, l.runs, l.cpu AS "CPU s", l.wall AS "wall s", l.cpu_each AS "CPU us each", l.wall_each AS "wall us each", l.p99 AS "p99 us"
FROM (
	SELECT r.ordinal, 0 AS place, r.what AS label, NULL::text AS units, NULL::text AS runs, NULL::text AS cpu, NULL::text AS wall, NULL::text AS cpu_each, NULL::text AS wall_each, NULL::text AS p99
	FROM result r WHERE r.side = 'ours'
	UNION ALL
	SELECT r.ordinal, CASE r.side WHEN 'ours' THEN 1 ELSE 2 END, '  ' || CASE r.side WHEN 'ours' THEN 'O2O' ELSE r.peer END,
		r.count || ' ' || r.unit, r.repeats::text, pg_temp.digits(r.cpu), pg_temp.digits(r.wall),
		pg_temp.digits(r.cpu * 1000000 / r.count), pg_temp.digits(r.wall * 1000000 / r.count),
		CASE WHEN r.p99 IS NOT NULL THEN pg_temp.digits(r.p99) END
	FROM result r
	UNION ALL
	SELECT r.ordinal, 2, '  -', NULL, NULL, NULL, NULL, '-', '-', NULL FROM result r WHERE r.peer = '-'
	UNION ALL
	SELECT r.ordinal, 3, '  ratio', NULL, NULL, NULL, NULL, pg_temp.digits(r.cpu), pg_temp.digits(r.wall),
		CASE WHEN r.p99 IS NOT NULL THEN pg_temp.digits(r.p99) END FROM ratio r
) l
ORDER BY l.ordinal, l.place;
SELECT count(*) > 0 AS sized FROM size \gset
\if :sized
SELECT s.what AS "what takes how much place", s.peer AS "who else", pg_temp.digits(s.ours / 1000000.0) AS "O2O MB", pg_temp.digits(s.theirs / 1000000.0) AS "MB", pg_temp.digits(s.ours / s.theirs::numeric) AS ratio
FROM size s ORDER BY s.ordinal;
\endif
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.side(r result) RETURNS jsonb LANGUAGE sql STABLE
RETURN jsonb_build_object('count', r.count, 'cpu_s', r.cpu, 'wall_s', r.wall, 'cpu_us_each', round(r.cpu * 1000000 / r.count, 4),
	'wall_us_each', round(r.wall * 1000000 / r.count, 4), 'each_per_cpu_s', round(r.count / nullif(r.cpu, 0)), 'each_per_wall_s', round(r.count / nullif(r.wall, 0)), 'p99_us', r.p99);
SELECT jsonb_pretty(jsonb_build_object(
	'room', :'room', 'machine', :'machine', 'load', jsonb_build_array(:'load'::numeric, :'load_end'::numeric), 'postgresql', current_setting('server_version'), 'huge_pages', :'huge_pages' = 'huge pages', 'extensions', pg_temp.extensions(),
	'sizes', (SELECT jsonb_agg(jsonb_build_object('what', s.what, 'peer', s.peer, 'ours', s.ours, 'theirs', s.theirs, 'ratio', round(s.ours / s.theirs::numeric, 4)) ORDER BY s.ordinal) FROM size s),
	'notes', (SELECT jsonb_agg(n.note ORDER BY n.ordinal) FROM note n),
	'results', (SELECT jsonb_agg(jsonb_build_object(
		'name', o.pair, 'what', o.what, 'peer', o.peer, 'unit', o.unit, 'repeats', o.repeats,
		'ours', pg_temp.side(o), 'theirs', (SELECT pg_temp.side(p) FROM result p WHERE p.ordinal = o.ordinal AND p.side = 'peer'),
		'ratio', (SELECT jsonb_build_object('cpu', round(q.cpu, 4), 'wall', round(q.wall, 4)) FROM ratio q WHERE q.ordinal = o.ordinal),
		'runs', (SELECT jsonb_agg(jsonb_build_object('side', m.side, 'turn', m.turn, 'cpu_s', m.cpu, 'wall_s', m.wall) ORDER BY m.turn, m.side)
			FROM measure m WHERE m.pair = o.pair)) ORDER BY o.ordinal) FROM result o WHERE o.side = 'ours')));
