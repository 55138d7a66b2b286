-- The cluster room: how each table would be spread over nodes, and the lint
-- that keeps every table fit for it. No cluster is needed for either.

CREATE OR REPLACE FUNCTION o2o.distribution_plan()
RETURNS TABLE (table_name name, distribution text, key name, family text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT n.name, p.distribution, p.key::name, p.family
	FROM (VALUES
		('distributed', 'profile_id', 'person', '{profile, identifier_period, identity_evidence, customer_change, profile_trait, profile_trait_mark, profile_consent, points_account, points_posting, points_lot, points_hold, points_hold_part, points_snapshot_account, points_snapshot_lot, points_exchanged, points_pool, points_pool_member, points_qualification, points_reward, sales_order, order_line, payment, sales_return, touchpoint, segment_member}'),
		('distributed', 'customer_id', 'person', '{customer, customer_household, points_tier_state, points_tier_history}'),
		('distributed', 'survivor_customer_id', 'person', '{identity_merge}'),
		('distributed', 'identifier', 'identifier', '{profile_identifier}'),
		('distributed', 'request_id', 'request', '{request}'),
		('distributed', 'account_id', 'budget', '{points_stripe}'),
		('distributed', 'profile_id', 'person', '{points_budget_use}'),
		('reference', NULL, NULL, '{points_budget}'),
		('local', NULL, NULL, '{points_reserve_headroom, points_budget_entry, import_points_opening, import_points_balance, import_points_event}'),
		('reference', NULL, NULL, '{source, channel, currency, organisation, location, location_hours_exception, location_area, identifier_kind, identifier_block, household_rule, match_model, trait_policy, points_exchange_rate, points_partner, points_program, points_program_rate, points_reward_rule, points_rule, points_system_account, points_tier_level, points_tier_rule, product, sku, segment, setting}'),
		('local', NULL, NULL, '{model_version, change_base, source_table, source_column, points_rollup, points_rollup_lot, points_rollup_horizon, points_snapshot, points_snapshot_contra, points_block, access_right, access_grant, maintenance, points_reserve_entry, import_identity, import_batch, import_problem, import_order, import_order_line, import_return, import_points, import_points_problem, import_touchpoint}')
	) p (distribution, key, family, tables), unnest(p.tables::name[]) n (name)
	ORDER BY p.distribution, p.family, n.name
$$;
COMMENT ON FUNCTION o2o.distribution_plan() IS 'Where each table lives on a cluster: distribution (distributed by key, reference: a copy on every node, local: the coordinator alone), the key column, and the family: tables of one family are colocated.';

CREATE OR REPLACE FUNCTION o2o.distribution_lint()
RETURNS TABLE (object text, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH planned AS (
		SELECT p.*, c.oid, a.attnum, a.attnotnull, a.attgenerated, a.atttypid
		FROM o2o.distribution_plan() p
			LEFT JOIN pg_class c ON c.relnamespace = 'o2o'::regnamespace AND c.relname = p.table_name AND c.relkind IN ('r', 'p')
			LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = p.key
	), owned AS (
		SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relispartition, c.relrowsecurity, c.relhasrules
		FROM pg_class c
		WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
	)
	SELECT p.table_name::text, 'planned, but there is no such table' FROM planned p WHERE p.oid IS NULL
	UNION ALL
	SELECT o.relname::text, 'not in distribution_plan()' FROM owned o
	WHERE NOT o.relispartition AND NOT EXISTS (SELECT FROM planned p WHERE p.oid = o.oid)
	UNION ALL
	SELECT p.table_name::text, format('key %s is missing, nullable, generated, or neither bigint, uuid nor identifier', p.key)
	FROM planned p
	WHERE p.distribution = 'distributed' AND p.oid IS NOT NULL
		AND (p.attnum IS NULL OR NOT p.attnotnull OR p.attgenerated <> ''
			OR p.atttypid NOT IN ('bigint'::regtype, 'uuid'::regtype, 'o2o.identifier'::regtype))
	UNION ALL
	SELECT p.table_name::text, format('unique index %s lacks the key', i.indexrelid::regclass)
	FROM planned p JOIN pg_index i ON i.indrelid = p.oid
	WHERE p.distribution = 'distributed' AND (i.indisunique OR i.indisexclusion) AND NOT p.attnum = ANY (i.indkey::smallint[])
	UNION ALL
	SELECT p.table_name::text, format('foreign key %s goes to a table that is neither reference nor colocated by key', f.conname)
	FROM planned p
		JOIN pg_constraint f ON f.conrelid = p.oid AND f.contype = 'f' AND f.conparentid = 0
		LEFT JOIN planned t ON t.oid = f.confrelid
	WHERE (p.distribution = 'distributed' AND t.distribution IS DISTINCT FROM 'reference'
			AND NOT (t.distribution = 'distributed' AND t.family = p.family
				AND array_position(f.conkey, p.attnum) = array_position(f.confkey, t.attnum)))
		OR (p.distribution = 'reference' AND t.distribution IS DISTINCT FROM 'reference')
	UNION ALL
	SELECT p.table_name::text, format('foreign key %s sets values on delete', f.conname)
	FROM planned p JOIN pg_constraint f ON f.conrelid = p.oid AND f.contype = 'f' AND f.confdeltype IN ('n', 'd')
	UNION ALL
	SELECT o.relname::text, 'has a trigger' FROM owned o
	WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = o.oid AND NOT t.tgisinternal)
	UNION ALL
	SELECT o.relname::text, 'has a rule' FROM owned o WHERE o.relhasrules
	UNION ALL
	SELECT o.relname::text, 'is not logged' FROM owned o WHERE o.relpersistence <> 'p'
	UNION ALL
	SELECT o.relname::text, 'has row-level security' FROM owned o WHERE o.relrowsecurity
	UNION ALL
	SELECT o.relname::text, 'is partitioned below a partition' FROM owned o WHERE o.relkind = 'p' AND o.relispartition
	UNION ALL
	SELECT o.relname::text, 'inherits' FROM owned o
	WHERE NOT o.relispartition AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = o.oid)
	UNION ALL
	SELECT o.relname::text, format('column %s takes numbers from a sequence and is not bigint', a.attname)
	FROM owned o
		JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND a.atttypid <> 'bigint'::regtype
		JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = a.attnum
	WHERE pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%' OR a.attidentity <> ''
	UNION ALL
	SELECT g.aggfnoid::text, 'aggregate without a combine function, or with a state of type internal'
	FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid
	WHERE p.pronamespace = 'o2o'::regnamespace AND (g.aggcombinefn = 0 OR g.aggtranstype = 'internal'::regtype)
	UNION ALL
	SELECT g.aggfnoid::text, 'an aggregate named avg is taken for the server''s own'
	FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid
	WHERE p.pronamespace = 'o2o'::regnamespace AND p.proname = 'avg'
	ORDER BY 1, 2
$$;
COMMENT ON FUNCTION o2o.distribution_lint() IS 'No row when every table and aggregate could live on a cluster as distribution_plan() says: keys are not null and part of every unique index, foreign keys stay within a family or go to reference tables, no triggers, rules, inheritance, row-level security or unlogged tables, ids are bigint, aggregates combine. Otherwise the object and its problem.';
