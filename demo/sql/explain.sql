-- A statement worth trying: why two records that look different are one customer
-- (the two sources' records of the first customer whom several events joined).
SELECT format('SELECT * FROM o2o.identity_explain(%L, %L);', min(i.identifier::text), max(i.identifier::text))
FROM o2o.profile p JOIN o2o.profile_identifier i ON i.profile_id = p.profile_id
WHERE p.kind IN ('ref', 'card', 'email') AND p.customer_id = (
	SELECT e.customer_id FROM o2o.profile e WHERE e.kind = 'ref'
	GROUP BY e.customer_id ORDER BY count(DISTINCT e.scope) DESC, e.customer_id LIMIT 1);
