-- WITH RECURSIVE that walks to larger ids only, over an index of both directions
-- count: 200000 pairs
WITH RECURSIVE walk (node, component) AS (
	SELECT a, a FROM pair_small_both
	UNION
	SELECT p.b, w.component FROM walk w JOIN pair_small_both p ON p.a = w.node WHERE p.b > w.component
), lowest AS (
	SELECT node, min(component) AS component FROM walk GROUP BY node
)
SELECT count(*), sum(component) FROM lowest;
