-- The identity room: how healthy the customers are, as views over what stands there
-- today. Against labels: cluster_quality() and its kin, which need no model.

INSERT INTO o2o.setting (name, value, description) VALUES
	('identity.single_traits', '{birthday,birth_date,gender}', 'Array of the names of traits of which a person has one value for life; two values make a customer a suspect (view customer_suspect)')
ON CONFLICT DO NOTHING;

CREATE OR REPLACE VIEW o2o.customer_size AS
SELECT c.profile_count::bigint AS size, count(*) AS customers, count(*) * c.profile_count AS profiles
FROM o2o.customer c
WHERE c.profile_count > 0
GROUP BY c.profile_count;
COMMENT ON VIEW o2o.customer_size IS 'Histogram of customers by size: one row per number of profiles that occurs. customers and profiles may be added up. Live.';
COMMENT ON COLUMN o2o.customer_size.size IS 'Profiles that a customer has';
COMMENT ON COLUMN o2o.customer_size.customers IS 'Customers of that size';
COMMENT ON COLUMN o2o.customer_size.profiles IS 'Profiles of these customers together';

CREATE OR REPLACE VIEW o2o.customer_near_limit AS
SELECT u.customer_id, u.rule, u.used, u.allowed, u.used::double precision / u.allowed AS share
FROM (
	SELECT c.customer_id, 'customer_cap' AS rule, c.profile_count::bigint AS used,
		(SELECT s.value::bigint FROM o2o.setting s WHERE s.name = 'identity.customer_cap') AS allowed
	FROM o2o.customer c
	UNION ALL
	SELECT p.customer_id, 'limit:' || k.kind AS rule, count(*) AS used, k.max_per_customer::bigint AS allowed
	FROM o2o.profile p JOIN o2o.identifier_kind k ON k.kind = p.kind
	GROUP BY p.customer_id, k.kind, k.max_per_customer
) u
WHERE u.used * 5 >= u.allowed * 4 AND (u.allowed > 1 OR u.used > u.allowed);
COMMENT ON VIEW o2o.customer_near_limit IS 'Customers that have used 80 % or more of a limit of today, one row per customer and limit: the next link may be refused, or too much was linked already. A limit of one that holds is normal and left out. Live.';
COMMENT ON COLUMN o2o.customer_near_limit.customer_id IS 'Customer';
COMMENT ON COLUMN o2o.customer_near_limit.rule IS 'customer_cap (profiles of a customer, setting identity.customer_cap) or limit:<kind> (identifier_kind.max_per_customer)';
COMMENT ON COLUMN o2o.customer_near_limit.used IS 'Profiles that the customer has, of that kind for limit:<kind>';
COMMENT ON COLUMN o2o.customer_near_limit.allowed IS 'Profiles that the rule allows';
COMMENT ON COLUMN o2o.customer_near_limit.share IS 'used / allowed; above 1 where the rule was tightened later';

CREATE OR REPLACE VIEW o2o.customer_suspect AS
SELECT c.customer_id, 'bridge' AS reason, b.evidence_id, c.profile_count::bigint AS profiles, b.part_sizes[2]::bigint AS measure
FROM o2o.customer c
	CROSS JOIN LATERAL (SELECT * FROM o2o.identity_bridges(c.customer_id) b WHERE b.rule <> 'manual' ORDER BY b.part_sizes[2] DESC, b.evidence_id LIMIT 1) b
WHERE c.profile_count >= 6 AND b.part_sizes[2] >= 3
UNION ALL
SELECT p.customer_id, 'unique:' || p.kind AS reason, NULL AS evidence_id, p.profiles, max(p.n) AS measure
FROM (
	SELECT q.customer_id, q.kind, q.scope, count(*) AS n, (SELECT c.profile_count::bigint FROM o2o.customer c WHERE c.customer_id = q.customer_id) AS profiles
	FROM o2o.profile q JOIN o2o.identifier_kind k ON k.kind = q.kind AND k.is_unique
	GROUP BY q.customer_id, q.kind, q.scope
	HAVING count(*) > 1
) p
GROUP BY p.customer_id, p.kind, p.profiles
UNION ALL
SELECT l.customer_id, l.rule AS reason, NULL AS evidence_id,
	(SELECT c.profile_count::bigint FROM o2o.customer c WHERE c.customer_id = l.customer_id) AS profiles, l.used AS measure
FROM o2o.customer_near_limit l
WHERE l.used > l.allowed
UNION ALL
SELECT t.customer_id, 'trait:' || t.name AS reason, NULL AS evidence_id,
	(SELECT c.profile_count::bigint FROM o2o.customer c WHERE c.customer_id = t.customer_id) AS profiles, count(DISTINCT t.value) AS measure
FROM (
	SELECT p.customer_id, t.name, lower(regexp_replace(t.value, '[^[:alnum:]]', '', 'g')) AS value
	FROM o2o.profile_trait t JOIN o2o.profile p ON p.profile_id = t.profile_id
	WHERE t.name = ANY ((SELECT s.value FROM o2o.setting s WHERE s.name = 'identity.single_traits')::text[])
) t
WHERE t.value <> ''
GROUP BY t.customer_id, t.name
HAVING count(DISTINCT t.value) > 1;
COMMENT ON VIEW o2o.customer_suspect IS 'Customers that may be two people, one row per customer and reason: the list to go through with identity_explain(), customer_unmerge() and customer_split(). Live. It computes the bridges of every customer of six profiles or more: ask for single customers, or keep its result in a materialized view of your own.';
COMMENT ON COLUMN o2o.customer_suspect.customer_id IS 'Customer';
COMMENT ON COLUMN o2o.customer_suspect.reason IS 'bridge: one piece of evidence, not given by hand, alone holds two parts of three profiles or more together; unique:<kind>: several values of a unique kind in one scope; limit:<kind> or customer_cap: more profiles than allowed today; trait:<name>: several values of a trait that the setting identity.single_traits names, compared without case and punctuation';
COMMENT ON COLUMN o2o.customer_suspect.evidence_id IS 'The bridge, the one that holds the largest parts; refers to identity_evidence; NULL for other reasons';
COMMENT ON COLUMN o2o.customer_suspect.profiles IS 'Profiles of the customer';
COMMENT ON COLUMN o2o.customer_suspect.measure IS 'bridge: profiles of the second largest part that taking it back would leave; trait: values; else profiles that count against the rule';
