-- The privacy room: who may do what. The rights of each access profile are rows;
-- grant_access and revoke_access turn them into privileges of a role.

CREATE TABLE IF NOT EXISTS o2o.access_right (
	profile text NOT NULL CHECK (profile IN ('reader', 'cashier', 'operator')),
	object_kind text NOT NULL CHECK (object_kind IN ('function', 'table')),
	object_name name NOT NULL,
	privilege text NOT NULL CHECK (privilege IN ('EXECUTE', 'SELECT', 'INSERT', 'DELETE')),
	PRIMARY KEY (profile, object_kind, object_name, privilege),
	CHECK ((object_kind = 'function') = (privilege = 'EXECUTE'))
);
COMMENT ON TABLE o2o.access_right IS 'What each access profile may do: reader reads the report views; cashier calls the functions of a till, one person at a time, and has no right on any table or view; operator also imports, merges, maintains and reads reports. A function stands for all its overloads, table also for views. The owner may add rows, then calls grant_access again.';
COMMENT ON COLUMN o2o.access_right.profile IS 'Access profile: reader, cashier, operator';
COMMENT ON COLUMN o2o.access_right.object_kind IS 'function (or procedure), table (or view)';
COMMENT ON COLUMN o2o.access_right.object_name IS 'Name in schema o2o';
COMMENT ON COLUMN o2o.access_right.privilege IS 'EXECUTE on functions; SELECT, INSERT or DELETE on tables';

CREATE TABLE IF NOT EXISTS o2o.access_grant (
	role_name name NOT NULL,
	profile text NOT NULL,
	granted_at timestamptz NOT NULL DEFAULT now(),
	granted_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (role_name, profile)
);
COMMENT ON TABLE o2o.access_grant IS 'Roles and the access profiles that grant_access gave them.';
COMMENT ON COLUMN o2o.access_grant.role_name IS 'Role';
COMMENT ON COLUMN o2o.access_grant.profile IS 'Access profile';
COMMENT ON COLUMN o2o.access_grant.granted_at IS 'When it was granted last';
COMMENT ON COLUMN o2o.access_grant.granted_by IS 'Who granted it';

INSERT INTO o2o.access_right (profile, object_kind, object_name, privilege)
SELECT r.profile, r.kind, n.name, r.privilege
FROM (VALUES
	('operator', 'function', 'EXECUTE', '{identity_match, identity_match_train, match_model_get, match_model_save}'),
	('operator', 'table', 'SELECT', '{match_model, match_model_level, match_model_rule, match_model_term}'),
	('reader', 'table', 'SELECT', '{points_reserve, points_lapse, points_cohorts, points_statements, points_seller_settlement, points_partner_bill, points_budgets}'),
	('reader', 'function', 'EXECUTE', '{points_outstanding}'),
	('operator', 'function', 'EXECUTE', '{points_reserve_withdraw, points_reserve_set, points_budget_create, points_budget_change, points_accounting, points_liability_roll, points_opening_import, points_reconcile}'),
	('operator', 'function', 'EXECUTE', '{location_import_csv, location_import_geojson, store_site_scores, store_site_cannibalisation, store_huff_fit}'),
	('operator', 'table', 'SELECT', '{customer_position}'),
	('reader', 'table', 'SELECT', '{store_locator, store_coverage, store_trade_area, store_catchment, store_white_spot}'),
	('reader', 'function', 'EXECUTE', '{store_is_open, store_next_opening}'),
	('operator', 'table', 'SELECT', '{import_points_opening, import_points_balance, import_points_event}'),
	('operator', 'table', 'INSERT', '{import_points_opening, import_points_balance, import_points_event}'),
	('operator', 'table', 'DELETE', '{import_points_opening, import_points_balance, import_points_event}'),
	('cashier', 'function', 'EXECUTE', '{consent_record, consent_given}'),
	('cashier', 'function', 'EXECUTE', '{customer_segments}'),
	('operator', 'function', 'EXECUTE', '{segment_create, segment_add, segment_add_many, segment_remove, segment_remove_many, segment_members}'),
	('operator', 'table', 'SELECT', '{segment, segment_member}'),
	('reader', 'table', 'SELECT', '{segment_customer}'),
	('operator', 'function', 'EXECUTE', '{trait_mark, trait_unmark}'),
	('operator', 'table', 'SELECT', '{customer_trait, customer_record, customer_consent}'),
	('operator', 'table', 'SELECT', '{customer_size, customer_near_limit, customer_suspect}'),
	('operator', 'table', 'SELECT', '{household_member, source_progress, source_column, identity_batch_progress}'),
	('operator', 'function', 'EXECUTE', '{identity_reconcile, household_resolve, source_import, source_import_note, identity_resolve_batch, identity_batch_start, identity_batch_step, identity_batch_error}'),
	('reader', 'table', 'SELECT', '{customer_360, customer_timeline, channel_sales, category_sales, omnichannel_customers, points_liability, store_sales, stage_funnel}'),
	('cashier', 'function', 'EXECUTE', '{identify, customer_lookup, points_earn, points_burn, points_transfer, points_balance, points_hold, points_capture, points_void, points_transfer_find, points_statement, points_balance_at, points_quote, points_tier, points_reward, points_pay, points_exchange, points_pool_join, points_pool_put, points_pool_spend, points_pool_leave, points_pool_balance, points_refund, points_clawback, order_place, order_return, stores_nearest, stores_within, stores_serving, store_is_open, store_next_opening, touchpoint_record}'),
	('operator', 'function', 'EXECUTE', '{points_post_many, customer_merge, customer_unmerge, customer_split, customer_keep_apart, customer_at, customer_profiles_at, identity_history, customer_changes, evidence_retract, evidence_accept, evidence_reject, identifier_reassign, identify_many, identity_bridges, identity_explain, identity_import, identity_verify, order_import, touchpoint_import, location_import, source_register, points_import, points_program_create, points_reserve_deposit, points_reserve_status, points_expire, points_verify, points_system_balance, points_snapshot_take, points_snapshot_drop, points_chain_set, points_prove, points_proof_check, points_adjust, points_reverse, points_activate, points_qualify, points_tier_evaluate, points_reward_decide, points_seller_open, points_seller_close, points_seller_balance, points_settle, points_partner_open, points_partner_fund, points_partner_withdraw, points_partner_limit, points_partner_close, points_partner_reopen, points_partner_balance, points_exchange_reverse, points_pool_open, points_pool_close, points_cross_draw, points_compensate, points_close, points_reopen, journey_partition, health, maintain, maintain_step}'),
	('operator', 'table', 'SELECT', '{import_identity, import_order, import_order_line, import_return, import_touchpoint, import_points, import_problem, import_points_problem, customer_ref, identity_merge, identity_evidence, identity_review, points_tier_history, points_reward_review, points_seller_line, points_partner_bill}'),
	('operator', 'table', 'INSERT', '{import_identity, import_order, import_order_line, import_return, import_touchpoint, import_points}'),
	('operator', 'table', 'DELETE', '{import_identity, import_order, import_order_line, import_return, import_touchpoint, import_points, import_problem, import_points_problem}')
	) r (profile, kind, privilege, names), unnest(r.names::name[]) n (name)
ON CONFLICT DO NOTHING;
INSERT INTO o2o.access_right (profile, object_kind, object_name, privilege)
SELECT 'operator', r.object_kind, r.object_name, r.privilege FROM o2o.access_right r WHERE r.profile IN ('reader', 'cashier')
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.access_object(profile text)
RETURNS TABLE (object_kind text, object_name name, privilege text, object text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.object_kind, r.object_name, r.privilege,
		CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure
	FROM o2o.access_right r
		LEFT JOIN pg_proc p ON p.pronamespace = 'o2o'::regnamespace AND p.proname = r.object_name
	WHERE r.profile = access_object.profile AND r.object_kind = 'function'
	UNION ALL
	SELECT r.object_kind, r.object_name, r.privilege, 'TABLE ' || c.oid::regclass
	FROM o2o.access_right r
		LEFT JOIN pg_class c ON c.relnamespace = 'o2o'::regnamespace AND c.relname = r.object_name AND c.relkind IN ('r', 'p', 'v', 'm')
	WHERE r.profile = access_object.profile AND r.object_kind = 'table'
$$;
COMMENT ON FUNCTION o2o.access_object(text) IS 'The rights of an access profile and the objects they stand for, as GRANT spells them, one row per overload; object is NULL where there is no such object.';

CREATE OR REPLACE FUNCTION o2o.access_check(role name, profile text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.access_right r WHERE r.profile = access_check.profile) THEN
		RAISE EXCEPTION 'unknown access profile "%"', access_check.profile
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The profiles are reader, cashier, operator.';
	ELSIF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = access_check.role) THEN
		RAISE EXCEPTION 'role "%" does not exist', access_check.role USING ERRCODE = 'undefined_object';
	ELSIF access_check.role = current_user THEN
		RAISE EXCEPTION 'role "%" owns the model', access_check.role USING ERRCODE = 'invalid_parameter_value',
			HINT = 'The owner may do everything; access profiles are for other roles.';
	ELSIF NOT has_schema_privilege(access_check.role, 'o2o', 'USAGE') THEN
		RAISE EXCEPTION 'role "%" may not use schema o2o', access_check.role USING ERRCODE = 'insufficient_privilege',
			HINT = format('As a superuser: GRANT USAGE ON SCHEMA o2o TO %I.', access_check.role);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.access_check(name, text) IS 'Refuses a role or access profile that cannot be granted. Errors: 22023 unknown profile, or the owner itself, 42704 no such role, 42501 the role lacks USAGE on schema o2o.';

CREATE OR REPLACE FUNCTION o2o.grant_access(role name, profile text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	entry record;
BEGIN
	PERFORM o2o.access_check(grant_access.role, grant_access.profile);
	FOR entry IN SELECT a.object, a.privilege FROM o2o.access_object(grant_access.profile) a WHERE a.object IS NOT NULL LOOP
		EXECUTE format('GRANT %s ON %s TO %I', entry.privilege, entry.object, grant_access.role);
	END LOOP;
	INSERT INTO o2o.access_grant (role_name, profile) VALUES (grant_access.role, grant_access.profile)
	ON CONFLICT ON CONSTRAINT access_grant_pkey DO UPDATE SET granted_at = excluded.granted_at, granted_by = excluded.granted_by;
END $$;
COMMENT ON FUNCTION o2o.grant_access(name, text) IS 'Gives a role an access profile: reader (report views), cashier (the functions of a till, no table or view) or operator (cashier and reader, imports, merges, maintenance). Call it again after setup() has upgraded the model. The owner alone may call it. Errors: 22023 unknown profile, or the role is the owner, 42704 no such role, 42501 the role lacks USAGE on schema o2o.';

CREATE OR REPLACE FUNCTION o2o.revoke_access(role name, profile text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	entry record;
BEGIN
	PERFORM o2o.access_check(revoke_access.role, revoke_access.profile);
	DELETE FROM o2o.access_grant g WHERE g.role_name = revoke_access.role AND g.profile = revoke_access.profile;
	FOR entry IN
		SELECT a.object, a.privilege FROM o2o.access_object(revoke_access.profile) a
		WHERE a.object IS NOT NULL AND NOT EXISTS (
			SELECT FROM o2o.access_grant g JOIN o2o.access_right r ON r.profile = g.profile
			WHERE g.role_name = revoke_access.role AND r.object_kind = a.object_kind
				AND r.object_name = a.object_name AND r.privilege = a.privilege)
	LOOP
		EXECUTE format('REVOKE %s ON %s FROM %I', entry.privilege, entry.object, revoke_access.role);
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.revoke_access(name, text) IS 'Takes an access profile from a role; what another of its profiles gives stays. The owner alone may call it. Errors: as grant_access().';
REVOKE ALL ON FUNCTION o2o.grant_access(name, text), o2o.revoke_access(name, text) FROM PUBLIC;
