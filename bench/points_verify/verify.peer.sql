-- SQL with window functions: versions, running balances, accounts, lots and their sums; no contra accounts, debts, holds, rollup or refunds
-- count: 1220000 postings
SELECT FROM (
	SELECT p.*, lag(p.version, 1, 0::bigint) OVER w AS version_before, lag(p.balance, 1, 0::o2o.points) OVER w AS balance_before,
		lag(p.posted_at) OVER w AS posted_before, lead(p.version) OVER w IS NULL AS is_last
	FROM o2o.points_posting p
	WINDOW w AS (PARTITION BY p.profile_id, p.account_id ORDER BY p.version)
) p
	LEFT JOIN o2o.points_account a USING (profile_id, account_id)
WHERE p.version <> p.version_before + 1 OR p.balance <> p.balance_before + p.amount OR p.posted_at <= p.posted_before
	OR a.account_id IS NULL OR p.is_last AND (a.version, a.balance, a.posted_at) IS DISTINCT FROM (p.version, p.balance, p.posted_at);
SELECT FROM o2o.points_lot l
	FULL JOIN (
		SELECT p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding, sum(p.amount) FILTER (WHERE p.operation = 'earn') AS granted,
			- sum(p.amount) FILTER (WHERE p.operation IN ('burn', 'pay')) AS consumed
		FROM o2o.points_posting p GROUP BY 1, 2, 3, 4, 5
	) u USING (profile_id, account_id, expires_at, grant_month, funding)
WHERE (l.granted = u.granted AND l.consumed = coalesce(u.consumed, 0::o2o.points) AND l.granted = l.remaining + l.consumed + l.expired + l.clawed) IS NOT TRUE;
SELECT FROM o2o.points_account a
	JOIN (SELECT profile_id, account_id, sum(remaining) AS remaining FROM o2o.points_lot GROUP BY 1, 2) l USING (profile_id, account_id)
WHERE a.balance <> l.remaining - a.debt;
