-- WITH RECURSIVE that walks to larger ids only, over an index of both directions, which it makes first
-- count: 1000000 pairs
CREATE TEMP TABLE both_directions AS SELECT a, b FROM pair_million UNION SELECT b, a FROM pair_million;
CREATE INDEX ON both_directions (a, b);
ANALYZE both_directions;
WITH RECURSIVE walk (node, component) AS (
	SELECT a, a FROM both_directions
	UNION
	SELECT p.b, w.component FROM walk w JOIN both_directions p ON p.a = w.node WHERE p.b > w.component
), lowest AS (
	SELECT node, min(component) AS component FROM walk GROUP BY node
)
SELECT count(*), sum(component) FROM lowest;
DROP TABLE both_directions;
